/** A server that gives a test in another process the request logs and the faults of mocks, over HTTP. */
import type { Fault } from './faults.ts';
import { reply, type MockRequest, type MockResponse } from './message.ts';
import { mockServer, type MockServer } from './server.ts';

/** A fault as JSON: `match` is the source of a RegExp, and `server` is the name of a mock. */
interface FaultJson extends Omit<Fault, 'match' | 'clock' | 'body'> {
  server: string;
  match?: string;
  body?: string;
}

const KINDS: Record<keyof FaultJson, 'string' | 'number' | 'boolean' | 'object' | 'number or true'> = {
  server: 'string',
  match: 'string',
  body: 'string',
  largerThan: 'number',
  probability: 'number',
  seed: 'number',
  times: 'number',
  delayMs: 'number',
  status: 'number',
  truncate: 'number',
  cut: 'number',
  corrupt: 'number',
  lengthOff: 'number',
  skewMs: 'number',
  reset: 'boolean',
  html: 'boolean',
  ignoreRange: 'boolean',
  stall: 'number or true',
  rate: 'object',
  headers: 'object',
};

/**
 * Creates a server with two paths:
 * - `GET /requests` answers all requests so far: a JSON array of {@link LoggedRequest}, each with the name of
 *   its `server`. `DELETE /requests` clears the logs.
 * - `POST /faults` adds one fault, such as `{"server": "graph", "match": "roots_binary", "times": 2,
 *   "status": 503}`. `DELETE /faults` removes all faults.
 *
 * Any other request gets status 400, 404 or 405 and `{"error": …}`. Mount the server together with the
 * mocks, for example at `/control`.
 *
 * @param servers The mocks, by name.
 */
export function controlServer(servers: Readonly<Record<string, MockServer>>): MockServer {
  const all = Object.entries(servers);
  const routes: Record<string, Record<string, (request: MockRequest) => MockResponse>> = {
    '/requests': {
      GET: () =>
        json(
          200,
          all.flatMap(([server, { log }]) => log.requests.map((line) => ({ server, ...line }))),
        ),
      DELETE: () => (all.forEach(([, { log }]) => log.clear()), json(200, {})),
    },
    '/faults': {
      POST: ({ body }) => {
        const { server, match, ...fault } = parseFault(Buffer.from(body).toString(), Object.keys(servers));
        servers[server].faults.push({ ...fault, ...(match !== undefined && { match: new RegExp(match) }) });
        return json(200, {});
      },
      DELETE: () => (all.forEach(([, { faults }]) => faults.splice(0)), json(200, {})),
    },
  };
  return mockServer((request) => {
    const methods = Object.hasOwn(routes, request.path) ? routes[request.path] : undefined;
    if (!methods) return json(404, { error: `there are ${Object.keys(routes).join(' and ')}` });
    if (!Object.hasOwn(methods, request.method))
      return json(405, { error: `${request.path} takes ${Object.keys(methods).join(' and ')}` });
    try {
      return methods[request.method](request);
    } catch (error) {
      return json(400, { error: (error as Error).message });
    }
  });
}

const json = (status: number, value: unknown): MockResponse =>
  reply(status, 'application/json', JSON.stringify(value));

/**
 * Unknown members are refused: a misspelt fault would do nothing, and a test that relies on it would pass.
 */
function parseFault(text: string, servers: readonly string[]): FaultJson {
  const fault = JSON.parse(text) as FaultJson;
  if (typeof fault !== 'object' || fault === null || Array.isArray(fault))
    throw new TypeError('a fault is an object');
  for (const [name, value] of Object.entries(fault)) {
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name as keyof FaultJson] : undefined;
    if (!kind) throw new TypeError(`a fault has no ${name}; it has ${Object.keys(KINDS).join(', ')}`);
    const fits =
      kind === 'number or true'
        ? value === true || typeof value === 'number'
        : kind === 'boolean'
          ? value === true
          : typeof value === kind && value !== null;
    if (!fits)
      throw new TypeError(
        `${name} is ${kind === 'boolean' ? 'true' : `a ${kind}`}, not ${JSON.stringify(value)}`,
      );
  }
  if (!servers.includes(fault.server)) throw new TypeError(`server is one of ${servers.join(', ')}`);
  return fault;
}
