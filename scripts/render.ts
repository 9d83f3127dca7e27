/** What is generated from the chart: the manifests in `deploy/` and the table of values in the docs. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isMap, parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { crdFile } from './crd.ts';
import { withTable } from './page-table.ts';

const root = new URL('../', import.meta.url);
const chart = 'helm/konnect-audit-log-operator';

export const chartFolder = fileURLToPath(new URL(chart, root));
/** A copy of the CRD, because the chart cannot read files outside its folder. */
export const chartCRDFile = `${chart}/files/${crdFile.replace(/^.*\//, '')}`;
export const manifestsFile = 'deploy/operator.yaml';
/** The pages with the table of values. */
export const valuesPages = ['docs/install/values.md', `${chart}/README.md`];

/** Namespace and name of the objects in `deploy/`. */
const namespace = 'konnect-audit-log';
const name = 'konnect-audit-log-operator';

/** Labels that mark objects of Helm. Objects of `kubectl apply` must not have them. */
const helmLabels = ['helm.sh/chart', 'app.kubernetes.io/managed-by'];
const labelPaths = [
  ['metadata', 'labels'],
  ['spec', 'template', 'metadata', 'labels'],
];

/** Resolves with the manifests that the chart installs by default, without the CRD. `helm` is the path of the executable. */
export async function renderManifests(helm: string): Promise<string> {
  return `# Rendered from ${chart} by \`npm run generate\`. Do not edit.\n${await renderTexts(helm)}`;
}

/** Resolves with the same manifests without the comment at the top, with values as `--set` of helm takes them. */
export async function renderTexts(helm: string, sets: readonly string[] = []): Promise<string> {
  const texts = (await renderDocuments(helm, sets)).map((document) => {
    document.directives.docStart = null;
    return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trim();
  });
  return `${texts.join('\n---\n')}\n`;
}

const RenderedObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
export type RenderedObject = z.infer<typeof RenderedObject>;

/** Resolves with the same objects, with values as `--set` of helm takes them. */
export async function renderObjects(helm: string, sets: readonly string[] = []): Promise<RenderedObject[]> {
  return (await renderDocuments(helm, sets)).map((document) => RenderedObject.parse(document.toJS()));
}

async function renderDocuments(helm: string, sets: readonly string[] = []) {
  const values = ['crds.install=false', ...sets].map((set) => `--set=${set}`);
  const { stdout } = await promisify(execFile)(helm, [
    'template',
    name,
    chartFolder,
    `--namespace=${namespace}`,
    ...values,
  ]);
  const documents = parseAllDocuments(stdout.replaceAll(/^# Source: .*\n/gm, ''));
  if ('empty' in documents) throw new Error('the chart renders to nothing');
  const objects = documents.filter(({ contents }) => isMap(contents));
  for (const document of objects) {
    for (const path of labelPaths) {
      if (document.hasIn(path)) for (const label of helmLabels) document.deleteIn([...path, label]);
    }
  }
  return objects;
}

const Node = z.object({
  type: z.string(),
  description: z.string().optional(),
  get properties() {
    return z.record(z.string(), Node).optional();
  },
});
type Node = z.infer<typeof Node>;

/** A documented value of the chart. */
export interface Value {
  /** `image.tag` */
  readonly path: string;
  readonly description: string;
  readonly default: unknown;
}

/** Returns all values: descriptions from `values.schema.json`, defaults from `values.yaml`. */
export function chartValues(): Value[] {
  const schema = Node.parse(JSON.parse(readFileSync(`${chartFolder}/values.schema.json`, 'utf8')));
  const defaults: unknown = parse(readFileSync(`${chartFolder}/values.yaml`, 'utf8'));
  return valuesOf(schema, defaults, []);
}

function valuesOf({ description, properties }: Node, preset: unknown, path: readonly string[]): Value[] {
  if (description !== undefined) return [{ path: path.join('.'), description, default: preset }];
  const presets = z.record(z.string(), z.unknown()).parse(preset);
  return Object.entries(properties ?? {})
    .filter(([key]) => key !== 'global')
    .flatMap(([key, node]) => valuesOf(node, presets[key], [...path, key]));
}

/** Returns a page with its table of values replaced. The links in the descriptions are those of `docs/install/`. */
export function withValuesTable(page: string, file: string): string {
  const rows = chartValues().map(({ path, description, default: preset }) => [
    `\`${path}\``,
    `\`${JSON.stringify(preset)}\``,
    description.replaceAll(/(?<=\]\()[^)]+/g, (link) => relative(dirname(file), join('docs/install', link))),
  ]);
  return withTable(page, {
    file,
    name: 'values',
    rows: [['value', 'default', 'meaning'], ...rows],
  });
}
