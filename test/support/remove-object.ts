import { request } from 'undici';
import type { PooledKubeConfig } from '../../src/kube/kube-config.ts';

/** Deletes the object at `path`. The operator's own client has no such method. Rejects if the API server refuses. Finalizers may delay the deletion. */
export async function removeObject(config: PooledKubeConfig, path: string): Promise<void> {
  const { headers, requests: dispatcher } = await config.credentials();
  const { statusCode, body } = await request(config.server + path, { method: 'DELETE', headers, dispatcher });
  await body.dump();
  if (statusCode >= 300) throw new Error(`DELETE ${path}: ${String(statusCode)}`);
}
