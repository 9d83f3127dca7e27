import { KubeError } from './errors.ts';
import type { KubeClient } from './kube-client.ts';

interface TokenReview {
  status?: { authenticated?: boolean; user?: User };
}

interface User {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

interface SubjectAccessReview {
  status?: { allowed?: boolean; denied?: boolean };
}

/** Without a namespace it is about the whole cluster, and without a name about every object. */
export interface ResourceAccess {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** What one user wants to do. */
interface AccessWanted {
  user: string;
  uid?: string | undefined;
  groups?: string[] | undefined;
  extra?: Record<string, string[]> | undefined;
  nonResourceAttributes?: { path: string; verb: string };
  resourceAttributes?: ResourceAccess;
}

/**
 * Asks the API server whether the owner of a bearer token may GET `path`. The path belongs to no resource, such as `/metrics`, so RBAC grants it with
 * `nonResourceURLs`. Rejects with a KubeError if the API server gives no decision.
 */
export async function reviewAccess(
  client: Pick<KubeClient, 'create'>,
  { token, path }: { token: string; path: string },
): Promise<'allowed' | 'unauthenticated' | 'forbidden'> {
  const group = 'authentication.k8s.io';
  const { status: who } = await client.create<TokenReview>(`/apis/${group}/v1/tokenreviews`, {
    apiVersion: `${group}/v1`,
    kind: 'TokenReview',
    spec: { token },
  });
  if (who?.authenticated !== true) return 'unauthenticated';
  const { username: user, uid, groups, extra } = who.user ?? {};
  if (user === undefined) throw new KubeError('POST tokenreviews: the answer names no user', { kind: 'Other' });
  const wanted = { user, uid, groups, extra, nonResourceAttributes: { path, verb: 'get' } };
  return (await isAllowed(client, wanted)) ? 'allowed' : 'forbidden';
}

/** Asks the API server whether a user may do something. Rejects with a KubeError if the API server gives no decision. */
export async function isAllowed(client: Pick<KubeClient, 'create'>, wanted: AccessWanted): Promise<boolean> {
  const group = 'authorization.k8s.io';
  const { status } = await client.create<SubjectAccessReview>(`/apis/${group}/v1/subjectaccessreviews`, {
    apiVersion: `${group}/v1`,
    kind: 'SubjectAccessReview',
    spec: wanted,
  });
  return status?.allowed === true && status.denied !== true;
}
