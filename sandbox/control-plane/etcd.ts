import { Agent, request } from 'undici';

/** An etcd that listens on a Unix socket. */
export interface EtcdConnection {
  /** Base of the URLs. Its host is a placeholder. */
  readonly url: string;
  readonly socketPath: string;
}

interface Header {
  readonly header: { readonly revision: string };
}

/** Compacts etcd at its current revision, through its JSON gateway. Resolves when the old revisions are removed from disk. */
export async function compact({ url, socketPath }: EtcdConnection): Promise<void> {
  const agent = new Agent({ connect: { socketPath } });
  const post = async <T>(path: string, body: object): Promise<T> => {
    const answer = await request(`${url}${path}`, { dispatcher: agent, method: 'POST', body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`etcd answered ${String(answer.statusCode)}: ${text.slice(0, 200)}`);
    return JSON.parse(text);
  };
  try {
    const key = Buffer.from('compact_rev_key').toString('base64');
    const { header } = await post<Header>('/v3/kv/range', { key });
    await post('/v3/kv/compaction', { revision: header.revision, physical: true });
  } finally {
    await agent.destroy();
  }
}
