import { describe, expect, test } from '@jest/globals';
import { mockCave, mockRequest, type MockCaveOptions } from '../../mocks/index.ts';

const tokens = {
  secret: { id: 7, name: 'Ann' },
  tos: { id: 8, missingTos: { id: 3, name: 'Terms' } },
} as const;
const origin = 'http://127.0.0.1:5';

async function send(
  path: string,
  {
    method = 'GET',
    token = 'secret',
    ...options
  }: MockCaveOptions & { method?: string; token?: string } = {},
): Promise<{ status: number; json: unknown }> {
  const routes = mockCave({
    datastack: 'stack',
    table: 'graph',
    tokens,
    versions: { 3: '2024-01-01', 5: 1717545600 },
    ...options,
  });
  const server = routes[`/${path.split('/')[1]}`];
  const { status, headers, body } = await server.handle(
    mockRequest(method, path, {
      origin,
      headers: token ? { authorization: `Bearer ${token}` } : { 'x-requested-with': 'script' },
    }),
  );
  return {
    status,
    json:
      headers['content-type'] === 'application/json'
        ? (JSON.parse(Buffer.from(body).toString()) as unknown)
        : undefined,
  };
}

describe('mockCave', () => {
  const answers: { path: string; json: unknown }[] = [
    { path: '/auth/api/v1/user/token', json: [{ id: 7, user_id: 7, token: 'secret' }] },
    {
      path: '/auth/api/v1/username?id=8,7',
      json: [
        { id: 8, name: 'user 8' },
        { id: 7, name: 'Ann' },
      ],
    },
    { path: '/info/version', json: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    { path: '/info/api/v2/datastacks', json: ['stack'] },
    {
      path: '/info/api/v2/datastack/full/stack',
      json: expect.objectContaining({
        local_server: origin,
        segmentation_source: `graphene://${origin}/segmentation/table/graph`,
        aligned_volume: expect.objectContaining({ name: 'stack' }),
      }),
    },
    { path: '/materialize/api/versions', json: [2, 3] },
    { path: '/materialize/api/v3/datastack/stack/versions', json: [3, 5] },
    {
      path: '/materialize/api/v2/datastack/stack/version/5',
      json: expect.objectContaining({ version: 5, time_stamp: '2024-06-05T00:00:00.000000', valid: true }),
    },
    {
      path: '/materialize/api/v3/datastack/stack/metadata',
      json: [expect.objectContaining({ version: 3 }), expect.objectContaining({ version: 5 })],
    },
  ];
  test.each(answers)('answers $path', async ({ path, json }) =>
    expect(await send(path)).toEqual({ status: 200, json }),
  );

  test('answers the permissions of a token', async () => {
    expect((await send('/auth/api/v1/user/cache')).json).toMatchObject({
      id: 7,
      name: 'Ann',
      permissions_v2: { stack: ['view', 'edit', 'admin', 'admin_view'] },
      missing_tos: [],
    });
    expect((await send('/auth/api/v1/user/cache', { token: 'tos' })).json).toMatchObject({
      permissions_v2: { stack: [] },
      missing_tos: [{ tos_id: 3 }],
    });
  });

  test('answers the dataset of its table, and whether roots are public', async () => {
    const ofTable = (table: string, service = 'pychunkedgraph') =>
      send(`/auth/api/v1/service/${service}/table/${table}/dataset`, { dataset: 'cells', table: 'a b' });
    expect(await ofTable('a%20b')).toEqual({ status: 200, json: 'cells' });
    expect([(await ofTable('other')).status, (await ofTable('a%20b', 'meshing')).status]).toEqual([404, 404]);
    expect((await send('/auth/api/v1/user/cache', { dataset: 'cells', token: 'tos' })).json).toMatchObject({
      permissions_v2: { cells: [] },
      permissions_v2_ignore_tos: { cells: ['view', 'edit', 'admin', 'admin_view'] },
    });
    const isPublic = async (table: string, options?: MockCaveOptions) =>
      (await send(`/auth/api/v1/table/${table}/has_public`, options)).json;
    expect([
      await isPublic('graph'),
      await isPublic('graph', { hasPublicRoots: true }),
      await isPublic('other', { hasPublicRoots: true }),
    ]).toEqual([false, true, false]);
  });

  test.each([
    { path: '/info/api/v2/datastack/full/other', status: 404 },
    { path: '/materialize/api/v3/datastack/stack/version/4', status: 404 },
    { path: '/info/api/v9/datastacks', status: 404 },
    { path: '/info/version', token: 'wrong', status: 401 },
    { path: '/info/version', token: '', status: 401 },
    { path: '/info/version', method: 'POST', status: 405 },
  ])('$path with $token$method: $status', async ({ path, status, ...how }) =>
    expect((await send(path, how)).status).toBe(status),
  );

  test('requires no token unless tokens are given', async () =>
    expect((await send('/info/version', { token: '', tokens: undefined })).status).toBe(200));
});
