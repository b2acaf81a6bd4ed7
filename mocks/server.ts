import { withFaults, type Fault } from './faults.ts';
import type { MockHandler, MockRequest, MockResponse } from './message.ts';
import { RequestLog } from './request-log.ts';

/** Something to mount: a handler with a log of what it was asked and a list of what it should get wrong. */
export interface MockServer {
  /** Answers a request, and logs it. */
  handle(request: MockRequest): Promise<MockResponse>;
  /** What was requested. */
  readonly log: RequestLog;
  /** Add and remove at will. */
  readonly faults: Fault[];
  /** Sees the whole path wherever it is mounted; others see what follows their prefix. */
  readonly wholePath: boolean;
}

/** Makes a mock of a handler, with a log and faults. */
export function mockServer(
  handler: MockHandler,
  { faults = [], wholePath = false }: { faults?: Fault[]; wholePath?: boolean } = {},
): MockServer {
  const log = new RequestLog();
  const answer = withFaults(handler, faults);
  return { handle: (request) => log.record(request, () => answer(request)), log, faults, wholePath };
}

/** Servers by path prefix, `{'/segmentation': graph, '/bucket': bucket}`: one origin; the longest matching prefix answers. */
export type MockRoutes = Record<string, MockServer>;

/** The server for a request and the request as that server is to see it; undefined when nothing is mounted there. */
export function route(
  routes: MockRoutes,
  request: MockRequest,
): { server: MockServer; request: MockRequest } | undefined {
  const prefixes = Object.keys(routes).sort((a, b) => b.length - a.length);
  for (const prefix of prefixes) {
    const bare = prefix.replace(/\/+$/, '');
    if (request.path !== bare && !request.path.startsWith(`${bare}/`)) continue;
    const server = routes[prefix];
    return {
      server,
      request: server.wholePath ? request : { ...request, path: request.path.slice(bare.length) || '/' },
    };
  }
  return undefined;
}

export const NOTHING_MOUNTED: MockResponse = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: new TextEncoder().encode('no mock is mounted here\n'),
};
