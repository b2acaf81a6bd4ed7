/**
 * The mocked CAVE services that a client needs before it reaches the chunkedgraph: auth, info and
 * materialization. Only their most common endpoints exist. Sources: CAVEclient, caveclient/endpoints.py and
 * caveclient/tools/testing.py; middle_auth_client, the user's permissions.
 */
import { AUTH_ENDPOINTS } from './cave/auth-service.ts';
import { INFO_ENDPOINTS } from './cave/info-service.ts';
import { MATERIALIZE_ENDPOINTS } from './cave/materialization-service.ts';
import type { CaveContext } from './cave/cave-endpoint.ts';
import { htmlPage } from './endpoints/endpoint-replies.ts';
import { authorize } from './endpoints/authorize.ts';
import { toJson } from './endpoints/python-values.ts';
import { ANONYMOUS_USER, type MockUser } from './endpoints/users.ts';
import type { Fault } from './faults.ts';
import type { MockTimestamp } from './graph-description.ts';
import { reply, type MockRequest, type MockResponse } from './message.ts';
import { mockServer, type MockRoutes } from './server.ts';

/** Options of {@link mockCave}. All are optional. */
export interface MockCaveOptions {
  /** Name of the only datastack. @default 'mock' */
  datastack?: string;
  /** Table of the chunkedgraph, which must be mounted at the same origin. @default 'mock' */
  table?: string;
  /** The dataset of the table, which permissions are for. @default the datastack */
  dataset?: string;
  /** Whether the auth service says that some roots of the table are public. @default false */
  hasPublicRoots?: boolean;
  /** Timestamps of the datastack's materializations, by version number. @default {} */
  versions?: Readonly<Record<number, MockTimestamp>>;
  /** Users by token. With it, every request needs one of the tokens. @default no token is needed */
  tokens?: Readonly<Record<string, MockUser>>;
  /**
   * Fields of the datastack's entry in the info service. They are added to the default ones, or replace them.
   * @default {}
   */
  datastackInfo?: Readonly<Record<string, unknown>>;
  /** Faults of the three services, in order of precedence. @default none */
  faults?: Fault[];
}

const ENDPOINTS = [...AUTH_ENDPOINTS, ...INFO_ENDPOINTS, ...MATERIALIZE_ENDPOINTS];

/**
 * Creates the CAVE services as routes to mount together with the chunkedgraph. The three routes share one log
 * and one list of faults.
 *
 * @returns Routes for `/auth`, `/info` and `/materialize`.
 * @example
 * const served = await serveMocks({ '/segmentation': graph, ...mockCave() });
 * // in Python: CAVEclient('mock', server_address=url, auth_token='any')
 */
export function mockCave(options: MockCaveOptions = {}): MockRoutes {
  const { datastack = 'mock', table = 'mock', versions = {}, datastackInfo = {}, tokens, faults } = options,
    { dataset = datastack, hasPublicRoots = false } = options;
  const context: CaveContext = {
    datastack,
    table,
    dataset,
    hasPublicRoots,
    versions,
    datastackInfo,
    tokens: tokens ?? {},
  };
  const handle = (request: MockRequest): MockResponse => {
    const endpoint = ENDPOINTS.find(({ path }) => path.test(request.path));
    if (!endpoint) return htmlPage(404, 'Not Found');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return htmlPage(405, 'Method Not Allowed', { allow: 'GET, HEAD, OPTIONS' });
    const user = tokens
      ? authorize(request, 'token', undefined, { tokens, table: '', dataset: '' })
      : ANONYMOUS_USER;
    if ('status' in user) return user;
    const parts = endpoint.path.exec(request.path)?.groups ?? {};
    const value = endpoint.answer(context, { ...request, parts, user });
    return value === undefined ? htmlPage(404, 'Not Found') : reply(200, 'application/json', toJson(value));
  };
  const server = mockServer(handle, { faults, wholePath: true });
  return { '/auth': server, '/info': server, '/materialize': server };
}
