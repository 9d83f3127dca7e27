/**
 * `npm run release -- --registry REGISTRY` makes the files of a release in `dist/release/`, pushes image, chart and bundle, signs everything, and verifies it as
 * the documents say. Only the workflow `release` can do this, because Sigstore signs for its identity.
 *
 * `npm run release -- --dry-run` does the same with a registry on loopback, a new key, and a replacement of the base image.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { messageOf } from '../../sandbox/control-plane/failure.ts';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';
import { createReporter } from '../../test/interop/reporter.ts';
import { ensureProgram } from '../../test/validators/build.ts';
import { output } from '../programs.ts';
import { pushReplacement } from './bases.ts';
import { pushBundle } from './bundle.ts';
import { checkDryRun } from './dry-run.ts';
import { checksumsName, type Release, sbomName, writeFiles, writeInstallation } from './files.ts';
import { baseImage, pushImage } from './image.ts';
import { startRegistry } from './registry.ts';
import { attest, keySigner, signFile, signImage, workflowSigner, writeProvenance } from './signing.ts';
import { cosign as cosignProgram, crane as craneProgram } from './tools.ts';
import { runBlock, verificationBlocks } from './verification.ts';

const { version } = manifest;
const write = (text: string) => void process.stdout.write(text);
const progress = (line: string) => write(`==> ${line}\n`);
const reporter = createReporter(write);
const folder = fileURLToPath(new URL('../../dist/release', import.meta.url));
const git = (...args: readonly string[]) => output('git', args);
const stops: (() => Promise<unknown>)[] = [];

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: { 'dry-run': { type: 'boolean', default: false }, registry: { type: 'string' } },
  });
  const dryRun = values['dry-run'];
  if (dryRun === (values.registry !== undefined))
    throw new Error('npm run release -- --dry-run, or -- --registry REGISTRY');
  if (!dryRun) await requireWorkflow();
  await import('../build.ts');
  const helm = await ensureHelm({ progress });
  const crane = await ensureProgram(craneProgram, { progress });
  const cosign = await ensureProgram(cosignProgram, { progress });
  const temporary = await mkdtemp(join(tmpdir(), 'release-'));
  stops.push(() => rm(temporary, { recursive: true }));

  let registry = values.registry ?? '';
  if (dryRun) {
    const local = await startRegistry(crane);
    stops.push(() => local.stop());
    registry = `${local.host}/dry-run`;
  }
  const {
    GITHUB_SERVER_URL: server = '',
    GITHUB_REPOSITORY: repository = '',
    GITHUB_WORKFLOW_REF: workflow = '',
  } = process.env;
  const signer = dryRun ? await keySigner(cosign, temporary) : workflowSigner(cosign, `${server}/${workflow}`);
  const base = dryRun ? await pushReplacement(crane, `${registry}/base`) : await baseImage();
  const release: Release = {
    version,
    commit: await git('rev-parse', 'HEAD'),
    time: new Date(Number(await git('log', '-1', '--format=%ct')) * 1_000),
    image: `${registry}/konnect-audit-log-operator`,
    url: dryRun ? 'https://example.com' : `${server}/${repository}/releases/download/v${version}`,
    dryRun,
  };

  progress(`making the files of ${version} in dist/release/`);
  const archive = await writeFiles(folder, helm, release);
  progress(`pushing image, chart and bundle to ${registry}`);
  const digest = await pushImage({ crane, base, ...release });
  await writeInstallation(folder, helm, release, digest);
  const http = dryRun ? ['--plain-http'] : [];
  await output(helm, ['push', archive, `oci://${registry}/charts`, ...http]);
  const bundle = await pushBundle({ crane, helm, digest, ...release });
  const chart = `${registry}/charts/konnect-audit-log-operator`;
  const chartDigest = await output(crane, ['digest', `${chart}:${version}`]);

  progress('signing');
  const image = `${release.image}@${digest}`;
  await signImage(signer, image);
  await signImage(signer, `${chart}@${chartDigest}`);
  await signImage(signer, bundle);
  await attest(signer, image, 'spdxjson', join(folder, sbomName));
  await attest(
    signer,
    image,
    'slsaprovenance1',
    await writeProvenance(temporary, { base, commit: release.commit, env: process.env }),
  );
  await signFile(signer, join(folder, checksumsName));

  reporter.section('the commands of docs/trust/verify-release.md');
  const options = { folder, registry, version, signer: signer.verifyArguments, helm, cosign, plainHTTP: dryRun };
  const [, ...blocks] = await verificationBlocks();
  for (const block of blocks) await reporter.check(block.split('\n')[0] ?? '', () => runBlock(block, options));
  if (dryRun) await checkDryRun({ ...options, reporter, crane, temporary, release, digest, bundle, blocks });
}

/** Rejects if this is not the workflow, or if the work tree is not what the tag of the version names. */
async function requireWorkflow(): Promise<void> {
  if (process.env['GITHUB_WORKFLOW_REF'] === undefined)
    throw new Error('only the workflow release on GitHub can sign a release; use npm run release -- --dry-run');
  if ((await git('status', '--porcelain')) !== '')
    throw new Error('commit or remove the changes of the work tree first');
  const tags = (await git('tag', '--points-at', 'HEAD')).split('\n');
  if (!tags.includes(`v${version}`))
    throw new Error(`HEAD does not have the tag v${version} of the version in package.json`);
}

const startedMs = performance.now();
try {
  await run();
  write(`\n==> dist/release/ is complete, ${String(Math.round((performance.now() - startedMs) / 1_000))} s\n`);
} catch (error) {
  write(`\n==> ${messageOf(error)}\n`);
  process.exitCode = 1;
}
for (const stop of stops.toReversed()) await stop();
process.exit();
