import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What becomes of new connections: let through; accepted and never answered; reset at once. */
export type ConnectionBehavior = 'through' | 'mute' | 'reset';

/** A TCP proxy on 127.0.0.1 that does to connections what networks do. */
export interface TCPProxy {
  readonly port: number;
  /** Bytes that were swallowed so far. */
  readonly droppedBytes: number;
  /** What becomes of connections that come from now on. */
  onConnect(how: ConnectionBehavior): void;
  /** Lets nothing through on the connections that stand now, either way, and closes none: neither side is told. */
  dropSilently(): void;
  /** Resets the connections that stand now. */
  cut(): void;
  /** Holds back all that comes from the server for so long. */
  delay(ms: number): void;
  stop(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket | undefined;
  silent: boolean;
}

/** Before the server on `targetPort` of 127.0.0.1. */
export async function startTCPProxy(targetPort: number): Promise<TCPProxy> {
  const pairs = new Set<Pair>();
  let how: ConnectionBehavior = 'through';
  let delayMs = 0;
  let swallowed = 0;

  function pump(pair: Pair, from: Socket, to: Socket, heldBackMs: () => number): void {
    from.on('data', (chunk: Buffer) => {
      if (pair.silent) swallowed += chunk.length;
      else if (heldBackMs() === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), heldBackMs());
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
    const server = how === 'through' ? connect({ port: targetPort, host: '127.0.0.1', noDelay: true }) : undefined;
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
      return swallowed;
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
