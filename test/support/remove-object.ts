import { request } from 'undici';
import type { PooledKubeConfig } from '../../src/kube/kube-config.ts';

/** Deletes the object at `path`, which the operator's own client cannot do. Rejects if the API server refuses. Finalizers may keep the object for longer. */
export async function removeObject(config: PooledKubeConfig, path: string): Promise<void> {
  const { headers, requests: dispatcher } = await config.credentials();
  const { statusCode, body } = await request(config.server + path, { method: 'DELETE', headers, dispatcher });
  await body.dump();
  if (statusCode >= 300) throw new Error(`DELETE ${path}: ${String(statusCode)}`);
}
