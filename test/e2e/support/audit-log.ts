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

/** A request that the operator made of the API server. */
export interface KubernetesRequest {
  readonly verb: string;
  /** With its group and subresource, as RBAC names them: `auditlogforwardings.konnect-audit-log.io/status`, `secrets`; a path where it is none. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string | undefined;
  /** HTTP status; 0 where it broke off. */
  readonly code: number;
  /** Whether RBAC refused it. */
  readonly forbidden: boolean;
}

const writeVerbs: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/**
 * What operators have asked of the API server so far, as the ServiceAccount of `deploy/`, in one namespace or in all; long ones such as watches
 * once, however they end. The API server notes a request before its answer is all sent, so that what a client has an answer to is here.
 */
export async function operatorRequests(namespace?: string): Promise<KubernetesRequest[]> {
  const username = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
  const text = await readFile(cluster().auditLog, 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes(username) && (namespace === undefined || line.includes(namespace)))
    .map((line) => AuditEvent.parse(JSON.parse(line)))
    .filter(({ user, userAgent, objectRef }) => {
      // Not of kubectl with the same token, as the documents have people try it.
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

/** Writes alone, as `verb resource`, with how many there were of each. */
export function countWrites(requests: readonly KubernetesRequest[]): Record<string, number> {
  return countTexts(
    requests.filter(({ verb }) => writeVerbs.has(verb)).map(({ verb, resource }) => `${verb} ${resource}`),
  );
}

/** How often each text is there. */
export function countTexts(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
