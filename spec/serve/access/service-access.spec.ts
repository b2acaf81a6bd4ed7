/** Who may ask a running service: by its own tokens, by CAVE, and without a token. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AccessOptions } from '../../../lib/serve/access/access-options.ts';
import { serveMocks } from '../../../mocks/index.ts';
import { BEFORE, OFFSET, rootOf } from '../../../testing/graph-world.ts';
import { supervoxel } from '../../../testing/tiny-volume.ts';
import {
  ALICE,
  BOB,
  GUEST,
  OPERATOR,
  sendRaw,
  startAccessWorld,
  UNKNOWN,
  UNSIGNED,
  type AccessWorld,
} from './access-world.ts';

const POINT = [OFFSET[0] + 9, OFFSET[1], OFFSET[2]];
const FULL = 'full-0123456789abcdef',
  VOXELS = 'voxels-0123456789abcdef',
  OTHER = 'other-0123456789abcdef';

let world: AccessWorld;
interface Answer {
  status: number;
  headers: Headers;
  json: {
    error: { code: string; message: string };
    root_id?: string[];
    supervoxel_id: string[];
    status: string[];
    volumes: string[];
  };
}
const ask = async (
  path: string,
  token?: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> => {
  const reply = await fetch(world.service.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  return {
    status: reply.status,
    headers: reply.headers,
    json: (text[0] === '{' ? JSON.parse(text) : {}) as Answer['json'],
  };
};
const askPoints = (name: string, token?: string, query = ''): Promise<Answer> =>
  ask(`/v1/${name}/points?${query}`, token, { body: { points: [POINT] } });
const askRoots = (token?: string, ids = [supervoxel([1, 0, 0], 1)]): Promise<Answer> =>
  ask(`/v1/world/roots?timestamp=${BEFORE}`, token, { body: { ids: ids.map(String) } });
/** The tokens of the requests for roots, in the order of arrival. */
const rootTokens = (): string[] =>
  world.graph.log.requests
    .filter(({ path }) => path.endsWith('/roots_binary'))
    .map(({ headers }) => headers.authorization.replace('Bearer ', ''));
const outcome = ({ status, json }: Answer): [number, string | undefined] => [status, json.error?.code];

describe('with --token-file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'access-'));
    const file = join(folder, 'tokens.txt');
    const lines = [
      FULL,
      JSON.stringify({ token: VOXELS, name: 'voxels only', roots: false }),
      JSON.stringify({ token: OTHER, volumes: ['watershed'] }),
    ];
    await writeFile(file, lines.join('\n'), { mode: 0o600 });
    world = await startAccessWorld(() => ({ access: { tokenFile: file } }));
  });
  afterAll(async () => {
    await world.close();
    await rm(folder, { recursive: true });
  });

  test('a token gets what its line says', async () => {
    const full = await askPoints('world', FULL, `timestamp=${BEFORE}`);
    expect([full.status, full.json.root_id]).toEqual([200, [String(rootOf(0, 1))]]);
    expect((await askRoots(FULL)).json.root_id).toEqual([String(rootOf(0, 1))]);
    expect((await askPoints('watershed', FULL)).status).toBe(200);

    const voxels = await askPoints('world', VOXELS, 'agglomerate=false');
    expect([voxels.status, voxels.json.supervoxel_id]).toEqual([200, [String(supervoxel([1, 0, 0], 1))]]);
    expect(outcome(await askRoots(VOXELS))).toEqual([403, 'NOT_ALLOWED']);
    expect(outcome(await askPoints('world', OTHER))).toEqual([403, 'NOT_ALLOWED']);
    expect((await askPoints('watershed', OTHER)).status).toBe(200);
  });

  test('roots are looked up with the token of the service, and callers’ tokens stay here', async () => {
    world.graph.log.clear();
    await askRoots(FULL, [supervoxel([5, 5, 0], 1)]);
    expect(rootTokens()).toEqual([OPERATOR]);
    const sent = [world.graph, world.bucket, world.cave['/auth']].flatMap(({ log }) => log.requests);
    expect(sent.length).toBeGreaterThan(0);
    expect(JSON.stringify(sent)).not.toMatch(/full-|voxels-|other-/);
  });

  test.each([undefined, UNKNOWN, OPERATOR, ALICE, `${FULL}x`, FULL.toUpperCase()])(
    'the token %s gets 401 everywhere, with a challenge',
    async (token) => {
      const challenge = token === undefined ? /^Bearer realm=/ : /^Bearer realm=.*error="invalid_token"/;
      for (const answer of [
        await askPoints('world', token),
        await askRoots(token),
        await ask('/v1/world/info', token),
        await ask('/v1/no-such-volume/info', token),
        await ask('/metrics', token),
      ]) {
        expect(outcome(answer)).toEqual([401, token === undefined ? 'NO_TOKEN' : 'BAD_TOKEN']);
        expect(answer.headers.get('www-authenticate')).toMatch(challenge);
      }
    },
  );

  test('the names of volumes are told to those who may ask them', async () => {
    expect((await ask('/v1')).json.volumes).toEqual([]);
    expect((await ask('/v1', OTHER)).json.volumes).toEqual(['watershed']);
    expect((await ask('/v1', FULL)).json.volumes).toEqual(['world', 'watershed']);
    expect((await ask('/v1/no-such-volume/info', FULL)).status).toBe(404);
    expect((await ask('/healthz')).status).toBe(200);
    expect((await ask('/nothing-here')).status).toBe(404);
  });

  test.each([
    [
      'the query',
      (token: string) => askPoints('world', undefined, `token=${token}&middle_auth_token=${token}`),
    ],
    [
      'a cookie',
      (token: string) =>
        ask('/v1/world/info', undefined, {
          headers: { cookie: `middle_auth_token=${token}; token=${token}` },
        }),
    ],
    [
      'another header',
      (token: string) =>
        ask('/v1/world/info', undefined, {
          headers: { 'x-auth-token': token, 'proxy-authorization': `Bearer ${token}` },
        }),
    ],
  ])('a token in %s is no token', async (_where, send) =>
    expect(outcome(await send(FULL))).toEqual([401, 'NO_TOKEN']),
  );

  test('another scheme is a mistake', async () => {
    const basic = await ask('/v1/world/info', undefined, {
      headers: { authorization: `Basic ${btoa(`:${FULL}`)}` },
    });
    expect(outcome(basic)).toEqual([400, 'BAD_REQUEST']);
  });

  test('a body is not waited for before a refusal', async () => {
    const head = (more: string): string =>
      `POST /v1/world/points HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: application/json\r\n${more}\r\n`;
    expect((await sendRaw(world.service.url, head('Content-Length: 1000000\r\n'))).status).toBe(401);
    expect((await sendRaw(world.service.url, head('Transfer-Encoding: chunked\r\n'))).status).toBe(401);
    expect(
      (await sendRaw(world.service.url, head('Content-Length: 99\r\nExpect: 100-continue\r\n'))).status,
    ).toBe(401);
  });

  test('a body is asked for once the caller is known', async () => {
    const body = JSON.stringify({ points: [POINT] });
    const answer = await sendRaw(
      world.service.url,
      `POST /v1/watershed/points HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer ${FULL}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n${body}`,
    );
    expect([answer.status, answer.body]).toEqual([100, expect.stringMatching(/^HTTP\/1\.1 200 OK/)]);
  });

  test('no token is in the metrics', async () => {
    const reply = await fetch(`${world.service.url}/metrics`, {
      headers: { authorization: `Bearer ${FULL}` },
    });
    expect(reply.status).toBe(200);
    expect(await reply.text()).not.toMatch(/full-|voxels-|0123456789abcdef/);
    expect(world.warnings.join()).not.toMatch(/0123456789abcdef/);
  });
});

describe('with --auth cave', () => {
  beforeEach(async () => {
    world = await startAccessWorld((url) => ({ access: { auth: 'cave', authServer: url } }));
    world.graph.log.clear();
  });
  afterEach(() => world.close());

  test('the roots of each caller are looked up with their own token, and kept for them alone', async () => {
    const answers = [await askRoots(ALICE), await askRoots(ALICE), await askRoots(BOB)];
    expect(answers.map(({ json }) => json.root_id)).toEqual(new Array(3).fill([String(rootOf(0, 1))]));
    expect(rootTokens()).toEqual([ALICE, BOB]);
    expect(outcome(await askRoots(GUEST))).toEqual([403, 'NOT_ALLOWED']);
    expect(outcome(await askRoots(UNKNOWN))).toEqual([401, 'BAD_TOKEN']);
    expect(outcome(await askRoots())).toEqual([401, 'NO_TOKEN']);
    expect(rootTokens()).toEqual([ALICE, BOB]);
  });

  test('voxels need the permission too, and are read once for all', async () => {
    expect((await askPoints('world', ALICE)).status).toBe(200);
    const reads = world.bucket.log.requests.length;
    expect((await askPoints('world', BOB)).status).toBe(200);
    expect(world.bucket.log.requests).toHaveLength(reads);
    for (const query of ['', 'agglomerate=false']) {
      expect(outcome(await askPoints('world', GUEST, query))).toEqual([403, 'NOT_ALLOWED']);
      expect(outcome(await askPoints('world', undefined, query))).toEqual([401, 'NO_TOKEN']);
    }
  });

  test('a volume without a table is nobody’s, unless it is public', async () => {
    expect(outcome(await askPoints('watershed', ALICE))).toEqual([403, 'NOT_ALLOWED']);
    expect((await ask('/v1', ALICE)).json.volumes).toEqual(['world']);
    expect((await ask('/v1', GUEST)).json.volumes).toEqual([]);
  });

  test('terms of service are named', async () => {
    const answer = await askRoots(UNSIGNED);
    expect(outcome(answer)).toEqual([403, 'TERMS_NOT_ACCEPTED']);
    expect(answer.json.error.message).toContain(`${world.mocks.url}/auth/api/v1/tos/3/accept`);
  });

  test('a token goes to the auth service and the graph server only', async () => {
    await askPoints('world', ALICE, 'timestamp=now');
    await ask('/v1/world/info', ALICE);
    const withToken = (log: AccessWorld['graph']['log']): string[] =>
      log.requests.filter(({ headers }) => JSON.stringify(headers).includes(ALICE)).map(({ path }) => path);
    expect(withToken(world.bucket.log)).toEqual([]);
    expect(withToken(world.cave['/auth'].log)).toEqual([
      '/auth/api/v1/user/cache',
      '/auth/api/v1/service/pychunkedgraph/table/world/dataset',
    ]);
    expect(new Set(withToken(world.graph.log))).toEqual(
      new Set(['/segmentation/api/v1/table/world/roots_binary']),
    );
  });

  test('without the auth service nobody is let in, and may retry', async () => {
    world.cave['/auth'].faults.push({ status: 503 });
    const answer = await askRoots(ALICE);
    expect(outcome(answer)).toEqual([503, 'AUTH_UNAVAILABLE']);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(rootTokens()).toEqual([]);
    world.cave['/auth'].faults.length = 0;
    expect((await askRoots(ALICE)).status).toBe(200);
  });

  test('a token that the graph server refuses meanwhile gets no roots', async () => {
    expect((await askRoots(ALICE)).json.status).toEqual(['ok']);
    delete world.tokens[ALICE];
    const { json } = await askRoots(ALICE, [supervoxel([7, 7, 0], 1)]);
    expect([json.root_id, json.status]).toEqual([[null], ['root_failed']]);
  });

  test('callers ask at the same time, and each with their own token', async () => {
    const ids = [1, 2, 3, 4, 5, 6].map((row) => supervoxel([0, row, 0], 2)),
      callers = [ALICE, BOB, ALICE, BOB, GUEST, UNKNOWN];
    const answers = await Promise.all(callers.map((token, k) => askRoots(token, [ids[k]])));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 403, 401]);
    expect(answers.slice(0, 4).map(({ json }) => json.root_id)).toEqual(
      [1, 2, 3, 4].map((row) => [String(rootOf(row, 2))]),
    );
    const sent = world.graph.log.requests.filter(({ path }) => path.endsWith('roots_binary'));
    expect(new Set(sent.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${ALICE}`, `Bearer ${BOB}`]),
    );
    expect(sent.length).toBeLessThanOrEqual(4);
  });
});

test('an auth service that is the service itself ends in no loop', async () => {
  const mocks = await serveMocks({}),
    port = Number(new URL(mocks.url).port);
  await mocks.close(); // the port is free again
  world = await startAccessWorld(() => ({
    port,
    access: { auth: 'cave', authServer: `http://127.0.0.1:${port}` },
  }));
  try {
    expect(outcome(await askRoots(ALICE))).toEqual([503, 'AUTH_UNAVAILABLE']);
  } finally {
    await world.close();
  }
});

describe('with --public', () => {
  const start = async (access: AccessOptions, bucketToken?: string): Promise<void> => {
    world = await startAccessWorld(
      (url) => ({ access: { ...access, ...(access.auth && { authServer: url }) } }),
      { bucketToken },
    );
  };
  afterEach(() => world.close());

  test('anybody gets voxels of the named volumes, and nobody gets roots', async () => {
    await start({ publicVolumes: ['world'] });
    const answer = await askPoints('world', undefined, 'agglomerate=false');
    expect([answer.status, answer.json.supervoxel_id]).toEqual([200, [String(supervoxel([1, 0, 0], 1))]]);
    for (const token of [undefined, OPERATOR, ALICE]) {
      expect(outcome(await askRoots(token))).toEqual([401, 'NO_TOKEN']);
      expect((await askPoints('world', token, 'agglomerate=true')).status).toBeGreaterThanOrEqual(401);
      expect((await askPoints('world', token, 'agglomerate=true')).json.root_id).toBeUndefined();
      expect(outcome(await askPoints('watershed', token))).toEqual([401, 'NO_TOKEN']);
    }
    expect((await ask('/v1')).json.volumes).toEqual(['world']);
    expect(outcome(await ask('/metrics'))).toEqual([401, 'NO_TOKEN']);
    expect(rootTokens()).toEqual([]);
  });

  test('a token gets roots besides, and a wrong one gets nothing', async () => {
    await start({ publicVolumes: ['world', 'watershed'], auth: 'cave' });
    expect((await askRoots(ALICE)).json.root_id).toEqual([String(rootOf(0, 1))]);
    expect((await askPoints('watershed', GUEST)).status).toBe(200);
    expect((await askPoints('world', GUEST, 'agglomerate=false')).status).toBe(200);
    expect(outcome(await askRoots(GUEST))).toEqual([403, 'NOT_ALLOWED']);
    expect(outcome(await askPoints('watershed', UNKNOWN))).toEqual([401, 'BAD_TOKEN']);
    world.cave['/auth'].faults.push({ status: 503 });
    expect((await askPoints('watershed')).status).toBe(200);
  });
});

describe('a service does not start', () => {
  const starting = (access: AccessOptions, open = {}, bucketToken?: string): Promise<unknown> =>
    startAccessWorld(() => ({ access, open }), { bucketToken });

  test('with a public volume that is read with credentials', async () => {
    const storage = { token: 'bucket-0123456789abcdef' };
    await expect(starting({ publicVolumes: ['world'] }, { storage }, storage.token)).rejects.toThrow(
      TypeError,
    );
  });

  test('with a public volume that is not readable without credentials', async () => {
    const bucketToken = 'bucket-0123456789abcdef';
    await expect(
      startAccessWorld(
        (url) => ({
          access: { publicVolumes: ['world'] },
          volumes: [{ name: 'world', path: `graphene://${url}/segmentation/table/world` }],
        }),
        { bucketToken },
      ),
    ).rejects.toMatchObject({
      code: 'UNSAFE_SETTINGS',
      message: expect.stringMatching(
        /^--public world: anybody may ask.*it cannot be read without credentials/,
      ),
    });
  });

  test('with --auth cave and no server that knows the tokens', async () => {
    await expect(starting({ auth: 'cave' })).rejects.toThrow(/--auth cave needs --auth-server URL/);
  });

  test('for other machines without saying who may ask', async () => {
    await expect(startAccessWorld(() => ({ host: '0.0.0.0' }))).rejects.toMatchObject({
      code: 'UNSAFE_SETTINGS',
    });
  });
});
