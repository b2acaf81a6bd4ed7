/** A mocked server with its log and its faults, and the routes that servers are mounted at. */
import { withFaults, type Fault } from './faults.ts';
import type { MockHandler, MockRequest, MockResponse } from './message.ts';
import { RequestLog } from './request-log.ts';

/** A mocked server: a handler, the log of its requests, and its faults. */
export interface MockServer {
  /** Answers a request, and logs it. */
  handle(request: MockRequest): Promise<MockResponse>;
  /** The requests so far. */
  readonly log: RequestLog;
  /** The faults, in order of precedence. A test may add and remove faults at any time. */
  readonly faults: Fault[];
  /** Whether the server sees the whole path. Otherwise it sees the part after its prefix. */
  readonly wholePath: boolean;
}

/** Makes a server from a handler. By default it has no faults, and sees only the part after its prefix. */
export function mockServer(
  handler: MockHandler,
  { faults = [], wholePath = false }: { faults?: Fault[]; wholePath?: boolean } = {},
): MockServer {
  const log = new RequestLog();
  const answer = withFaults(handler, faults);
  return { handle: (request) => log.record(request, () => answer(request)), log, faults, wholePath };
}

/**
 * The servers of one origin by path prefix, such as `{ '/segmentation': graph, '/bucket': bucket }`. The
 * longest matching prefix answers.
 */
export type MockRoutes = Record<string, MockServer>;

/**
 * The server for a request, and the request as that server sees it; undefined when no server is mounted
 * there.
 */
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

/** The response where no server is mounted. */
export const NOTHING_MOUNTED: MockResponse = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: new TextEncoder().encode('no mock is mounted here\n'),
};
