import type { PooledKubeConfig } from '../../src/kube/kube-config.ts';
import { sendRequest } from '../../src/kube/send-request.ts';

/** Deletes the object at `path`. The operator's own client has no such method. Rejects if the API server refuses. Finalizers may delay the deletion. */
export async function removeObject(config: PooledKubeConfig, path: string): Promise<void> {
  const { headers, requests: agent } = await config.credentials();
  const answer = await sendRequest(new URL(config.server + path), {
    method: 'DELETE',
    headers,
    body: undefined,
    agent,
    signal: AbortSignal.timeout(30_000),
    fence: undefined,
  });
  answer.resume();
  const { statusCode = 0 } = answer;
  if (statusCode >= 300) throw new Error(`DELETE ${path}: ${String(statusCode)}`);
}
