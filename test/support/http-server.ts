import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';

/** A server on 127.0.0.1 with a given handler. */
export interface HTTPServer {
  readonly url: string;
  stop(): void;
}

export async function startHTTPServer(listener: RequestListener): Promise<HTTPServer> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
