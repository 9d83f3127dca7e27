/** Checks manifests with kubectl-validate, as a pipeline without a cluster does. */
import { deepEqual, match } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';
import * as z from 'zod';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';
import { renderTexts } from '../../scripts/render.ts';
import { document, documents, root } from '../docs/documents.ts';
import { scriptsOf } from '../docs/scripts.ts';
import type { Reporter } from '../interop/reporter.ts';
import { authConfigurationDefinition, portalDefinition } from '../support/kong-operator.ts';
import { ensureProgram, type GoProgram } from '../validators/build.ts';

const kubectlValidate: GoProgram = {
  name: 'kubectl-validate',
  module: fileURLToPath(new URL('./kubectl-validate/', import.meta.url)),
  package: 'sigs.k8s.io/kubectl-validate',
  duration: 'a few minutes, once',
};

/** The kinds of which this project has no schema. */
const unknownKinds = [
  'Alert',
  'Application',
  'ClusterPolicy',
  'ExternalSecret',
  'GitRepository',
  'HelmRelease',
  'Kustomization',
  'OperatorGroup',
  'PrometheusRule',
  'ServiceMonitor',
  'Subscription',
];

const Manifest = z.looseObject({ apiVersion: z.string(), kind: z.string() });
/** For each file, the statuses of its documents. */
const Results = z.record(
  z.string(),
  z.array(z.looseObject({ status: z.string().default(''), message: z.string().default('') })),
);

export interface ValidationOptions {
  readonly reporter: Reporter;
  readonly progress: (line: string) => void;
  /** The path of the executable. */
  readonly kubectl: string;
  readonly folder: string;
}

export async function checkValidation({ reporter, progress, kubectl, folder }: ValidationOptions): Promise<void> {
  const program = await ensureProgram(kubectlValidate, { progress });
  const helm = await ensureHelm({ progress });
  const bin = join(folder, 'bin');
  const definitions = join(folder, 'definitions');
  for (const path of [bin, definitions]) await mkdir(path);
  await symlink(program, join(bin, 'kubectl-validate'));
  for (const one of [portalDefinition, authConfigurationDefinition])
    await writeFile(join(definitions, `${one.metadata.name}.yaml`), stringify(one));

  /** Runs a command in the root of the project without a cluster. Resolves with its exit code and its output. */
  const typed = (command: string) =>
    new Promise<{ code: number; said: string }>((resolve) => {
      const PATH = [bin, dirname(kubectl), process.env['PATH']].join(delimiter);
      const env = { PATH, HOME: folder, KUBECONFIG: join(folder, 'none') };
      execFile('bash', ['-c', command], { cwd: root, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr }),
      );
    });

  reporter.section('kubectl-validate');
  await reporter.check('finds no fault in the CRD, the examples, deploy/, the chart and the documents', async () => {
    const { files, unknown } = await writeManifests(join(folder, 'manifests'), await renderTexts(helm));
    deepEqual(unknown, unknownKinds);
    const options = `--output=json --local-crds=crds --local-crds=${definitions}`;
    const { said } = await typed(`kubectl validate ${options} ${join(folder, 'manifests')}`);
    const results = Results.parse(JSON.parse(said));
    deepEqual(Object.keys(results).length, files);
    deepEqual(
      Object.entries(results).flatMap(([file, statuses]) =>
        statuses.filter(({ status }) => status !== 'Success').map(({ message }) => `${file}: ${message}`),
      ),
      [],
    );
  });

  const [command = ''] = scriptsOf(document('docs/use/kustomize.md')).flatMap(({ text }) =>
    text.startsWith('kubectl validate ') ? [text] : [],
  );
  const wrong = join(folder, 'forwarding.yaml');
  const example = await readFile(join(root, 'examples/forwarding.yaml'), 'utf8');
  for (const [what, part, replacement, message] of [
    ['nothing in a valid forwarding', 'region: us', 'region: eu', /forwarding\.yaml.*OK/],
    ['a misspelled field', 'portals:', 'portal:', /spec\.portal: .*unknown/],
    ['a value that a rule of the CRD refuses', 'region: us', 'region: global', /region 'global' has no webhooks/],
  ] as const)
    await reporter.check(`docs/use/kustomize.md: the command finds ${what}`, async () => {
      await writeFile(wrong, example.replace(part, replacement));
      const { code, said } = await typed(command.replace(/ forwarding\.yaml$/, ` ${wrong}`));
      match(said, message);
      deepEqual(code === 0, what.startsWith('nothing'));
    });
}

/** Writes each object of a known kind to a file. Resolves with the number of files, and with the other kinds. */
async function writeManifests(folder: string, chart: string): Promise<{ files: number; unknown: string[] }> {
  await mkdir(folder);
  const texts = [
    chart,
    ...(await Promise.all(
      globSync('{examples,deploy,argocd,crds}/**/*.yaml', {
        cwd: root,
        exclude: ['argocd/resource_customizations/**', '**/patch-*.yaml'],
      }).map((file) => readFile(join(root, file), 'utf8')),
    )),
    ...[...documents.values()].flatMap((text) =>
      [...text.matchAll(/^```ya?ml\n(.*?)^```$/gms)].map(([, block = '']) => block),
    ),
  ];
  const unknown = new Set<string>();
  let files = 0;
  for (const one of texts.flatMap((text) => parseAllDocuments(text))) {
    const { success, data } = Manifest.safeParse(one.toJS());
    if (!success) continue;
    if (unknownKinds.includes(data.kind)) unknown.add(data.kind);
    else {
      await writeFile(join(folder, `${String(files)}-${data.kind}.yaml`), stringify(data));
      files += 1;
    }
  }
  return { files, unknown: [...unknown].toSorted() };
}
