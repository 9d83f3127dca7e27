import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** How the proxy treats a new connection: forwards it, accepts it without an answer, or resets it at once. */
export type ConnectionBehavior = 'forward' | 'hang' | 'reset';

/** A TCP proxy on 127.0.0.1 that simulates network faults. */
export interface TCPProxy {
  readonly port: number;
  /** Number of bytes that were dropped. */
  readonly droppedBytes: number;
  /** Sets how the proxy treats later connections. */
  onConnect(how: ConnectionBehavior): void;
  /** Drops all bytes of the present connections, in both directions, without closing them. */
  dropSilently(): void;
  /** Resets the present connections. */
  cut(): void;
  /** Delays all bytes from the server. */
  delay(ms: number): void;
  stop(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket | undefined;
  silent: boolean;
}

/** Starts a proxy for the server on `targetPort` of 127.0.0.1. */
export async function startTCPProxy(targetPort: number): Promise<TCPProxy> {
  const pairs = new Set<Pair>();
  let how: ConnectionBehavior = 'forward';
  let delayMs = 0;
  let droppedBytes = 0;

  function pump(pair: Pair, from: Socket, to: Socket, currentDelayMs: () => number): void {
    from.on('data', (chunk: Buffer) => {
      if (pair.silent) droppedBytes += chunk.length;
      else if (currentDelayMs() === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), currentDelayMs());
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      if (pair.silent) return;
      pairs.delete(pair);
      to.destroy();
    });
  }

  const listener = createServer({ noDelay: true }, (client) => {
    if (how === 'reset') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = how === 'forward' ? connect({ port: targetPort, host: '127.0.0.1', noDelay: true }) : undefined;
    const pair: Pair = { client, server, silent: server === undefined };
    pairs.add(pair);
    pump(pair, client, server ?? client, () => 0);
    if (server !== undefined) pump(pair, server, client, () => delayMs);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no address');

  function cut(): void {
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server?.destroy();
    }
    pairs.clear();
  }

  return {
    port: address.port,
    get droppedBytes() {
      return droppedBytes;
    },
    onConnect(next) {
      how = next;
    },
    dropSilently() {
      for (const pair of pairs) pair.silent = true;
    },
    cut,
    delay(ms) {
      delayMs = ms;
    },
    async stop() {
      const closed = once(listener, 'close');
      listener.close();
      cut();
      await closed;
    },
  };
}
