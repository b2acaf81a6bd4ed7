/** The HTTP client under test: with node:http, or with plain sockets, which worker threads use. */
import { createHttpClient, type HttpClientOptions } from '../../lib/failures/http-client.ts';
import { exchange } from '../../lib/http/exchange.ts';
import type { HttpClient } from '../../lib/http/http-request.ts';
import { SocketSender } from '../../lib/http/send-over-socket.ts';
import { restrictedLookup } from '../../lib/http/address.ts';

let overSockets = false;

/** From now on, {@link createTestedClient} sends GETs to loopback over plain sockets. */
export const useSockets = (): void => void (overSockets = true);

/** As `createHttpClient`. */
export function createTestedClient(options: HttpClientOptions = {}): HttpClient {
  if (!overSockets) return createHttpClient(options);
  const senders = {
    any: new SocketSender(),
    public: new SocketSender(restrictedLookup('public')),
    notMetadata: new SocketSender(restrictedLookup('notMetadata')),
  };
  const client = createHttpClient({
    ...options,
    remote: {
      mostFetching: 0,
      closeIdle: () => Object.values(senders).forEach((sender) => sender.closeIdle()),
      exchange: (remote, _bodyWork, cancellation, { onResult, onCancel }) => {
        if (remote.url.hostname !== '127.0.0.1') return false; // the other hosts are mocked
        exchange(
          senders[remote.allowAddress].send,
          { ...remote, method: 'GET', body: undefined, proxyName: undefined },
          cancellation,
        ).then(onResult, onCancel);
        return true;
      },
    },
  });
  return {
    request: (request) =>
      client.request({
        ...request,
        ...((request.method ?? 'GET') === 'GET' && !request.body && { bodyWork: {} }),
      }),
    close: () => {
      client.close();
      for (const sender of Object.values(senders)) sender.close();
    },
  };
}
