import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { serviceAccount } from '../../../sandbox/sandbox.ts';
import { cluster } from '../../support/cluster.ts';

const AuditEvent = z.object({
  stage: z.string(),
  verb: z.string(),
  requestURI: z.string(),
  user: z.object({ username: z.string() }),
  userAgent: z.string().default(''),
  objectRef: z
    .object({
      resource: z.string().default(''),
      subresource: z.string().optional(),
      namespace: z.string().default(''),
      name: z.string().optional(),
      apiGroup: z.string().default(''),
    })
    .optional(),
  responseStatus: z.object({ code: z.number().optional() }).optional(),
  annotations: z.record(z.string(), z.string()).default({}),
});

/** A request of the operator to the API server. */
export interface KubernetesRequest {
  readonly verb: string;
  /** Resource with group and subresource, as in RBAC: `auditlogforwardings.konnect-audit-log.io/status`, `secrets`. A path for other requests. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string | undefined;
  /** HTTP status. 0 if the connection broke. */
  readonly code: number;
  /** Whether RBAC refused it. */
  readonly forbidden: boolean;
}

const writeVerbs: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/**
 * Resolves with the requests of operators with the ServiceAccount of `deploy/`, in one namespace or in all. A watch counts once. The API server
 * writes its audit log before it has sent the whole answer, so every request with a complete answer is included.
 */
export async function operatorRequests(namespace?: string): Promise<KubernetesRequest[]> {
  const username = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
  const text = await readFile(cluster().auditLog, 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes(username) && (namespace === undefined || line.includes(namespace)))
    .map((line) => AuditEvent.parse(JSON.parse(line)))
    .filter(({ user, userAgent, objectRef }) => {
      // Leaves out kubectl with the same token, which the documents tell users to try.
      const byOperator = user.username === username && userAgent.startsWith('konnect-audit-log-operator/');
      return byOperator && (namespace === undefined || objectRef?.namespace === namespace);
    })
    .filter(({ stage, verb }) => (verb === 'watch' ? stage === 'ResponseStarted' : stage === 'ResponseComplete'))
    .map(({ verb, requestURI, objectRef, responseStatus, annotations }) => ({
      verb,
      resource: objectRef === undefined ? requestURI : resourceName(objectRef),
      namespace: objectRef?.namespace ?? '',
      name: objectRef?.name,
      code: responseStatus?.code ?? 0,
      forbidden: annotations['authorization.k8s.io/decision'] === 'forbid',
    }));
}

function resourceName(ref: { resource: string; subresource?: string | undefined; apiGroup: string }): string {
  const group = ref.apiGroup === '' ? '' : `.${ref.apiGroup}`;
  const subresource = ref.subresource === undefined ? '' : `/${ref.subresource}`;
  return `${ref.resource}${group}${subresource}`;
}

/** Returns the number of writes for each `verb resource`. */
export function countWrites(requests: readonly KubernetesRequest[]): Record<string, number> {
  return countTexts(
    requests.filter(({ verb }) => writeVerbs.has(verb)).map(({ verb, resource }) => `${verb} ${resource}`),
  );
}

/** Returns how often each text occurs. */
export function countTexts(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
