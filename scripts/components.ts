/** The kustomize components beside `deploy/`: what a value of the chart changes in it. */
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import * as z from 'zod';
import { type RenderedObject, renderObjects } from './render.ts';

/** Each component with the values of the chart that it stands for. */
export const components: Readonly<Record<string, readonly string[]>> = {
  'auth-refs': ['authRefs=true'],
  'high-availability': ['replicas=2', 'podDisruptionBudget.enabled=true'],
  monitoring: ['metrics.serviceMonitor.enabled=true', 'metrics.prometheusRule.enabled=true'],
  'network-policy': ['networkPolicy.enabled=true'],
};

const Fields = z.record(z.string(), z.unknown());
type Fields = z.infer<typeof Fields>;

const header = '# Rendered from the chart by `npm run generate`. Do not edit.\n';

/** Resolves with the files of all components by their path. `helm` is the path of the executable. */
export async function renderComponents(helm: string): Promise<ReadonlyMap<string, string>> {
  const base = await renderObjects(helm);
  const files = new Map<string, string>();
  for (const [name, sets] of Object.entries(components)) {
    const objects: RenderedObject[] = [];
    const patches: object[] = [];
    for (const wanted of await renderObjects(helm, sets)) {
      const before = base.find((one) => isSame(wanted, one));
      if (before === undefined) objects.push(wanted);
      else patches.push(...patchOf(before, wanted));
    }
    const folder = `deploy/components/${name}`;
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1alpha1',
      kind: 'Component',
      ...(objects.length === 0 ? {} : { resources: ['objects.yaml'] }),
      ...(patches.length === 0
        ? {}
        : { patches: patches.map((_, index) => ({ path: `patch-${String(index)}.yaml` })) }),
    };
    files.set(`${folder}/Kustomization`, header + stringify(kustomization));
    if (objects.length > 0) files.set(`${folder}/objects.yaml`, header + objects.map(text).join('---\n'));
    for (const [index, patch] of patches.entries())
      files.set(`${folder}/patch-${String(index)}.yaml`, header + text(patch));
  }
  return files;
}

function text(object: object): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
}

function isSame(one: RenderedObject, other: RenderedObject): boolean {
  const { name, namespace } = one.metadata;
  return one.kind === other.kind && name === other.metadata.name && namespace === other.metadata.namespace;
}

/** Returns the strategic merge patch that turns an object of the base into the wanted one, or nothing if they are equal. */
function patchOf(before: RenderedObject, wanted: RenderedObject): object[] {
  const { apiVersion, kind, metadata } = wanted;
  const changed = changesOf(before, wanted);
  if (Object.keys(changed).length === 0) return [];
  const { name, namespace } = metadata;
  return [{ apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace }, ...changed }];
}

/** Returns the fields of `after` that differ. Kustomize merges the containers of a Pod by their names, and replaces other lists. */
function changesOf(before: Fields, after: Fields): Fields {
  const changed: Fields = {};
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (isDeepStrictEqual(old, value)) continue;
    const [oldMap, newMap] = [Fields.safeParse(old), Fields.safeParse(value)];
    if (oldMap.success && newMap.success) changed[key] = changesOf(oldMap.data, newMap.data);
    else if (key === 'containers') changed[key] = containerChanges(old, value);
    else changed[key] = value;
  }
  return changed;
}

function containerChanges(before: unknown, after: unknown): Fields[] {
  const Containers = z.tuple([z.looseObject({ name: z.string() })]);
  const [[old], [container]] = [Containers.parse(before), Containers.parse(after)];
  return [{ name: container.name, ...changesOf(old, container) }];
}
