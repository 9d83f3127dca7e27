import { Agent, request } from 'undici';

/** A server on a socket, and what stands for its host in URLs. */
export interface EtcdConnection {
  readonly url: string;
  readonly socketPath: string;
}

interface Header {
  readonly header: { readonly revision: string };
}

/** Has etcd forget all states before its present one, physically; by its JSON gateway. */
export async function compact({ url, socketPath }: EtcdConnection): Promise<void> {
  const agent = new Agent({ connect: { socketPath } });
  const ask = async <T>(path: string, body: object): Promise<T> => {
    const answer = await request(`${url}${path}`, { dispatcher: agent, method: 'POST', body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`etcd answered ${String(answer.statusCode)}: ${text.slice(0, 200)}`);
    return JSON.parse(text);
  };
  try {
    const key = Buffer.from('compact_rev_key').toString('base64');
    const { header } = await ask<Header>('/v3/kv/range', { key });
    await ask('/v3/kv/compaction', { revision: header.revision, physical: true });
  } finally {
    await agent.destroy();
  }
}
