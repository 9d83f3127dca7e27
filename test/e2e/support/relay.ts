import { createServer, request as send } from 'node:http';
import { closed, listening } from '../../unit/konnect/listening.ts';

/** A request that a process sent. */
export interface Sent {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly method: string;
  /** Begins with the region. */
  readonly path: string;
}

/** A relay between one process and Konnect. It records every request as soon as its first bytes arrive. */
export interface Relay {
  /** For `--konnect-url`. */
  readonly urlTemplate: string;
  sent(): readonly Sent[];
  /** All requests except GET. */
  writes(): readonly Sent[];
  stop(): Promise<void>;
}

export async function startRelay(konnectURL: string): Promise<Relay> {
  const sent: Sent[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url: path = '', headers } = incoming;
    sent.push({ atMs: Date.now(), method, path });
    const onward = send(`${konnectURL}${path}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  const port = await listening(server);
  return {
    urlTemplate: `http://127.0.0.1:${String(port)}/{region}`,
    sent: () => [...sent],
    writes: () => sent.filter(({ method }) => method !== 'GET'),
    async stop() {
      server.closeAllConnections();
      await closed(server);
    },
  };
}
