import type { ClientRequest } from 'node:http';
import { TLSSocket } from 'node:tls';

/**
 * Calls `then` when a request has its connection, before anything of it is sent. Never calls it if the connection is refused or its certificate is
 * not trusted. It has to be called before the request has a socket.
 */
export function whenConnected(request: ClientRequest, then: () => void): void {
  request.once('socket', (socket) => {
    const isTLS = socket instanceof TLSSocket;
    // Node sets this protocol when the handshake ends. A kept connection has ended it.
    const isReady = !socket.connecting && !(isTLS && socket.alpnProtocol === null);
    if (isReady) then();
    else socket.once(isTLS ? 'secureConnect' : 'connect', then);
  });
}
