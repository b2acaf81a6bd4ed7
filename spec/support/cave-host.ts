/** A CAVE service that answers from a table of paths and records its requests. */
import { parseServer } from '../../lib/cave/cave-server.ts';
import type { Host } from '../../lib/chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../lib/chunkedgraph/server/graph-server.ts';
import type { HttpClient, HttpRequest } from '../../lib/http/http-request.ts';

export function caveHost(origin: string, answers: Record<string, unknown>, token?: string) {
  const requests: HttpRequest[] = [];
  const http: HttpClient = {
    async request(request) {
      requests.push(request);
      const path = String(request.url).slice(origin.length);
      const body = Object.hasOwn(answers, path) ? answers[path] : undefined;
      return {
        status: body === undefined ? 404 : 200,
        headers: {},
        url: String(request.url),
        serverAddress: undefined,
        body: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body ?? {})),
      };
    },
    close() {},
  };
  return {
    requests,
    answers,
    server: new GraphServer<Host>({
      http,
      path: parseServer(origin),
      token: token === undefined ? undefined : { token, from: 'a file' },
    }),
  };
}
