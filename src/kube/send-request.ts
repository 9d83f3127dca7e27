import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { whenConnected } from '../http/when-connected.ts';
import type { Fence } from '../runtime/write-fence.ts';

export interface OutgoingRequest {
  method: string;
  headers: Record<string, string | string[]>;
  body: string | undefined;
  agent: http.Agent;
  /** If it is aborted, the connection is closed, also while the answer is read. */
  signal: AbortSignal;
  /** Called when the connection is there, before anything is sent. If it throws, nothing is sent, and the request rejects with its error. */
  fence: Fence | undefined;
}

/** Sends one request. Resolves with the headers of the answer, whose body the caller has to read. Rejects with an error that has Node's code. */
export function sendRequest(url: URL, outgoing: OutgoingRequest): Promise<IncomingMessage> {
  const { body, fence, ...options } = outgoing;
  const send = url.protocol === 'https:' ? https.request : http.request;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = send(url, options);
    let isConnected = false;
    request.on('error', reject).once('response', resolve);
    whenConnected(request, () => {
      isConnected = true;
      // The request may have waited for its connection for a long time.
      try {
        fence?.();
        request.end(body);
      } catch (error) {
        request.destroy(toError(error));
      }
    });
    // The agent's timeout. On an open connection, the limits of the request and of the watch count instead.
    request.on('timeout', () => {
      if (!isConnected) request.destroy(Object.assign(new Error('not connected in time'), { code: 'ETIMEDOUT' }));
    });
  });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the fence is closed', { cause: error });
}
