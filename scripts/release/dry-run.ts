/** What a dry run checks beside the commands of the page. */
import { deepEqual, ok } from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Reporter } from '../../test/interop/reporter.ts';
import { bundleValidator, ensureProgram } from '../../test/validators/build.ts';
import { bundleLabels } from '../bundle/bundle.ts';
import { output } from '../programs.ts';
import { checksumsName, type Release, sbomName } from './files.ts';
import { architectures, entrypoint, labels, user } from './image.ts';
import { installPythonTools } from './python.ts';
import { keySigner } from './signing.ts';
import { runBlock, type VerificationOptions } from './verification.ts';

export interface DryRun extends VerificationOptions {
  readonly reporter: Reporter;
  /** The path of the executable. */
  readonly crane: string;
  readonly temporary: string;
  readonly release: Release;
  /** The digest of the image. */
  readonly digest: string;
  /** The image of the bundle, by its digest. */
  readonly bundle: string;
  /** The blocks of the page. */
  readonly blocks: readonly string[];
}

const Configuration = z.object({
  architecture: z.string(),
  config: z.object({ User: z.string(), Entrypoint: z.array(z.string()), Labels: z.record(z.string(), z.string()) }),
});

export async function checkDryRun(run: DryRun): Promise<void> {
  const { reporter, folder, temporary, release, digest, crane } = run;
  const image = `${release.image}@${digest}`;
  reporter.section('the image');
  for (const arch of architectures) {
    const platform = `--platform=linux/${arch}`;
    await reporter.check(`${arch}: user, entry point and labels are those of the Dockerfile`, async () => {
      const { architecture, config } = Configuration.parse(
        JSON.parse(await output(crane, ['config', platform, image])),
      );
      deepEqual(
        { architecture, config },
        { architecture: arch, config: { User: user, Entrypoint: entrypoint, Labels: labels(release) } },
      );
    });
    await reporter.check(`${arch}: operator.mjs is operator.js of the release, and prints its version`, async () => {
      const root = join(temporary, arch);
      await mkdir(root);
      await output(crane, ['export', platform, image, `${root}.tar`]);
      await output('tar', ['-xf', `${root}.tar`, '-C', root]);
      const operator = join(root, 'app/operator.mjs');
      ok((await readFile(operator)).equals(await readFile(join(folder, 'operator.js'))), 'the files differ');
      deepEqual(await output(process.execPath, [operator, '--version']), release.version);
    });
  }

  reporter.section('the bundle');
  const bundle = await subfolder(temporary, 'bundle');
  await reporter.check('names the image by its digest', async () => {
    await output(crane, ['export', run.bundle, `${bundle}.tar`]);
    await output('tar', ['-xf', `${bundle}.tar`, '-C', bundle]);
    const version = await readFile(
      join(bundle, 'manifests/konnect-audit-log-operator.clusterserviceversion.yaml'),
      'utf8',
    );
    deepEqual(version.match(/(?<=image: ).*/gi), [image, image, image]);
  });
  await reporter.check('has the labels of the Dockerfile in bundle/', async () => {
    const { config } = JSON.parse(await output(crane, ['config', run.bundle]));
    deepEqual(config.Labels, bundleLabels);
  });
  await reporter.check('passes the validators of operator-framework/api', async () =>
    deepEqual(
      JSON.parse(await output(await ensureProgram(bundleValidator, { progress: () => undefined }), [bundle])),
      [],
    ),
  );

  reporter.section('the files');
  await reporter.check('install.yaml names the image by its digest', async () =>
    ok((await readFile(join(folder, 'install.yaml'), 'utf8')).includes(`image: "${image}"`)),
  );
  const python = await installPythonTools(await subfolder(temporary, 'python'));
  const sbom = join(folder, sbomName);
  await reporter.check('spdx-tools finds no error in the SBOM', () => python.validateSPDX(sbom));
  await reporter.check('spdx-tools finds an error in a changed SBOM', async () => {
    const wrong = join(temporary, 'wrong.spdx.json');
    await writeFile(wrong, (await readFile(sbom, 'utf8')).replace(/"created": ".*"/, '"created": "yesterday"'));
    await fails(python.validateSPDX(wrong), /does not match format/);
  });

  reporter.section('the workflows');
  const workflows = fileURLToPath(new URL('../../.github/workflows', import.meta.url));
  await reporter.check('zizmor finds nothing', () => python.checkWorkflows(workflows));
  await reporter.check('zizmor finds a fault', async () => {
    const wrong = join(temporary, 'wrong.yml');
    await writeFile(wrong, 'on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{uses: actions/checkout@v7}]}}\n');
    await fails(python.checkWorkflows(wrong), /unpinned-uses/);
  });

  reporter.section('what must not pass');
  const wrong = await keySigner(run.cosign, await subfolder(temporary, 'wrong'));
  for (const block of run.blocks.filter((text) => text.includes('"${SIGNER[@]}"')))
    await reporter.check(`with another key: ${block.split('\n')[0] ?? ''}`, () =>
      fails(
        runBlock(block, { ...run, signer: wrong.verifyArguments }),
        /no matching|invalid signature|failed to verify/i,
      ),
    );
  const changed = join(temporary, 'changed');
  await cp(folder, changed, { recursive: true });
  for (const name of ['install.yaml', checksumsName]) {
    await writeFile(join(changed, name), '# changed\n', { flag: 'a' });
    const block = run.blocks.find((text) => text.includes(checksumsName)) ?? '';
    await reporter.check(`with a changed ${name}`, () => fails(runBlock(block, { ...run, folder: changed }), /./));
  }
}

async function subfolder(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

async function fails(attempt: Promise<unknown>, message: RegExp): Promise<void> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) throw new Error('the commands succeeded');
  if (!(error instanceof Error) || !message.test(error.message)) throw error;
}
