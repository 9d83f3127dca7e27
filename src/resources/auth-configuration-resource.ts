/** The kind KonnectAPIAuthConfiguration of kong-operator: what the operator reads and keeps of it. */
import * as z from 'zod';
import type { AuthConfiguration } from '../forwarding/ports.ts';
import type { KubeObject } from '../kube/objects.ts';
import { kongOperatorPath } from './kong-operator-resource.ts';

/** Returns the path of the KonnectAPIAuthConfigurations: of all, or of those in one namespace. */
export function authConfigurationsPath(namespace?: string): string {
  return kongOperatorPath('konnectapiauthconfigurations', namespace);
}

/** The object belongs to another operator: a field with an unexpected value counts as missing. */
const text = z.string().min(1).max(1024).optional().catch(undefined);
const Spec = z.object({
  type: text,
  token: z.string().optional().catch(undefined),
  secretRef: z.object({ name: text, namespace: text }).catch({}).default({}),
  serverURL: text,
});
const Schema = z.object({ spec: Spec.catch({ secretRef: {} }) }).catch({ spec: { secretRef: {} } });

/** Returns what the operator reads of a KonnectAPIAuthConfiguration, from an answer of the API server. */
export function parseAuthConfiguration(answer: unknown): AuthConfiguration {
  const { type, token, secretRef, serverURL } = Schema.parse(answer).spec;
  const { name, namespace } = secretRef;
  if (type === 'token' && token !== undefined) return { kind: 'token', token, serverURL };
  if (type === 'secretRef' && name !== undefined) return { kind: 'secret', name, namespace, serverURL };
  return { kind: 'empty', serverURL };
}

/** A KonnectAPIAuthConfiguration as the cache keeps it. */
export interface KeptAuthConfiguration extends KubeObject {
  /** `namespace/name` of the Secret that it names, if that is in its own namespace. */
  readonly secret?: string;
}

/** Returns an object with its identity, its generation and the name of its Secret. The token must not stay in memory. */
export function authConfigurationToKeep(object: KubeObject): KeptAuthConfiguration {
  const { namespace = '', name, uid, resourceVersion, generation = 0 } = object.metadata;
  const kept = { metadata: { namespace, name, uid, resourceVersion, generation } };
  const read = parseAuthConfiguration(object);
  return read.kind === 'secret' ? { ...kept, secret: `${namespace}/${read.name}` } : kept;
}
