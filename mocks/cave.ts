/**
 * What a CAVE client asks before it gets to the chunkedgraph: the auth, info and materialization services, as far as a start goes.
 * Paths and fields: CAVEclient, caveclient/endpoints.py and caveclient/tools/testing.py; middle_auth_client, the user's permissions.
 */
import { page, type Asked } from './endpoints/answers.ts';
import { authorize } from './endpoints/auth.ts';
import { EVERYTHING, NOBODY, type MockUser } from './endpoints/users.ts';
import { toJson } from './endpoints/python-values.ts';
import type { Fault } from './faults.ts';
import { toMs, type Moment } from './graph-input.ts';
import { DEFAULT_ORIGIN, reply, type MockRequest, type MockResponse } from './message.ts';
import { mockServer, type MockRoutes } from './server.ts';

export interface MockCaveOptions {
  /** @default 'mock' */
  datastack?: string;
  /** Table of the chunkedgraph, which is at the same origin. @default 'mock' */
  table?: string;
  /** Materialized versions of the datastack, by number: of which moment. @default none */
  versions?: Readonly<Record<number, Moment>>;
  /** Wanted of every request. @default none is asked for */
  tokens?: Readonly<Record<string, MockUser>>;
  /** More of the datastack's entry in the info service, or other values. */
  datastackInfo?: Readonly<Record<string, unknown>>;
  faults?: Fault[];
}

interface CaveEndpoint {
  path: RegExp;
  answer: (asked: Asked) => unknown;
}

const SERVICE_VERSION = '5.0.0';

/**
 * Routes to mount beside the chunkedgraph: `serveMocks({ '/segmentation': graph, ...mockCave() })`, then
 * `CAVEclient('mock', server_address=url, auth_token='any')`.
 */
export function mockCave(options: MockCaveOptions = {}): MockRoutes {
  const { tokens, faults } = options;
  const endpoints = [...authEndpoints(options), ...infoEndpoints(options), ...materializeEndpoints(options)];
  const handle = (request: MockRequest): MockResponse => {
    const match = endpoints
      .map(({ path, answer }) => ({
        groups: path.exec(request.path)?.groups,
        found: path.test(request.path),
        answer,
      }))
      .find(({ found }) => found);
    if (!match) return page(404, 'Not Found');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return page(405, 'Method Not Allowed', { allow: 'GET, HEAD, OPTIONS' });
    const user = tokens ? authorize(request, 'token', undefined, { tokens, table: '', dataset: '' }) : NOBODY;
    if ('status' in user) return user;
    const value = match.answer({ ...request, parts: match.groups ?? {}, user });
    return value === undefined ? page(404, 'Not Found') : reply(200, 'application/json', toJson(value));
  };
  const server = mockServer(handle, { faults, wholePath: true });
  return { '/auth': server, '/info': server, '/materialize': server };
}

function authEndpoints({ tokens = {}, datastack = 'mock' }: MockCaveOptions): CaveEndpoint[] {
  const users = Object.values(tokens);
  const idOf = (user: MockUser): number => user.id ?? 1;
  const nameOf = (user: MockUser): string => user.name ?? `user ${idOf(user)}`;
  const named = ({ query }: Asked): MockUser[] =>
    (query.get('id') ?? '').split(',').flatMap((id) => users.find((user) => String(idOf(user)) === id) ?? []);
  return [
    {
      path: /^\/auth\/api\/v1\/user\/token$/,
      answer: ({ user }) =>
        Object.entries(tokens).flatMap(([token, owner]) =>
          owner === user ? [{ id: idOf(owner), user_id: idOf(owner), token }] : [],
        ),
    },
    {
      path: /^\/auth\/api\/v1\/user\/cache$/,
      answer: ({ user }) => {
        const permissions = user.missingTos ? [] : (user.permissions ?? EVERYTHING);
        const missing = user.missingTos
          ? [{ dataset_name: datastack, tos_id: user.missingTos.id, tos_name: user.missingTos.name }]
          : [];
        return {
          id: idOf(user),
          name: nameOf(user),
          email: `${idOf(user)}@example.org`,
          admin: user.admin ?? false,
          service_account: false,
          groups: [],
          permissions: {},
          permissions_v2: { [datastack]: permissions },
          missing_tos: missing,
        };
      },
    },
    {
      path: /^\/auth\/api\/v1\/username$/,
      answer: (asked) => named(asked).map((user) => ({ id: idOf(user), name: nameOf(user) })),
    },
    {
      path: /^\/auth\/api\/v1\/user$/,
      answer: (asked) =>
        named(asked).map((user) => ({
          id: idOf(user),
          name: nameOf(user),
          email: `${idOf(user)}@example.org`,
          admin: user.admin ?? false,
          pi: '',
        })),
    },
  ];
}

function infoEndpoints({
  datastack = 'mock',
  table = 'mock',
  datastackInfo = {},
}: MockCaveOptions): CaveEndpoint[] {
  const volume = { id: 1, name: datastack, image_source: '', description: 'mocked' };
  return [
    { path: /^\/info\/version$/, answer: () => SERVICE_VERSION },
    { path: /^\/info\/api\/v2\/datastacks$/, answer: () => [datastack] },
    { path: /^\/info\/api\/v2\/aligned_volume$/, answer: () => [volume.name] },
    {
      path: /^\/info\/api\/v2\/aligned_volume\/(?<name>[^/]+)$/,
      answer: ({ parts }) => (parts.name === volume.name ? volume : undefined),
    },
    {
      path: /^\/info\/api\/v2\/datastack\/full\/(?<name>[^/]+)$/,
      answer: ({ parts, origin = DEFAULT_ORIGIN }) =>
        parts.name === datastack
          ? {
              aligned_volume: volume,
              analysis_database: null,
              description: 'mocked',
              local_server: origin,
              segmentation_source: `graphene://${origin}/segmentation/table/${table}`,
              skeleton_source: null,
              soma_table: null,
              synapse_table: null,
              viewer_resolution_x: 4,
              viewer_resolution_y: 4,
              viewer_resolution_z: 40,
              viewer_site: null,
              ...datastackInfo,
            }
          : undefined,
    },
  ];
}

function materializeEndpoints({ datastack = 'mock', versions = {} }: MockCaveOptions): CaveEndpoint[] {
  const below = (path: string): RegExp =>
    new RegExp(`^/materialize/api/v[23]/datastack/(?<name>[^/]+)/${path}$`);
  const entry = (version: number): unknown => {
    if (!Object.hasOwn(versions, version)) return undefined;
    const time = new Date(toMs(versions[version])).toISOString().replace('Z', '000');
    return {
      id: version,
      version,
      datastack,
      time_stamp: time,
      expires_on: '2121-11-10T07:10:00.000000',
      valid: true,
      status: 'AVAILABLE',
      is_merged: true,
      parent_version: null,
    };
  };
  const numbers = Object.keys(versions).map(Number);
  return [
    { path: /^\/materialize\/version$/, answer: () => SERVICE_VERSION },
    { path: /^\/materialize\/api\/versions$/, answer: () => [2, 3] },
    { path: below('versions'), answer: ({ parts }) => (parts.name === datastack ? numbers : undefined) },
    {
      path: below('metadata'),
      answer: ({ parts }) => (parts.name === datastack ? numbers.map(entry) : undefined),
    },
    {
      path: below('version/(?<version>\\d+)'),
      answer: ({ parts }) => (parts.name === datastack ? entry(Number(parts.version)) : undefined),
    },
    {
      path: below('version/(?<version>\\d+)/tables'),
      answer: ({ parts }) => (parts.name === datastack && entry(Number(parts.version)) ? [] : undefined),
    },
  ];
}
