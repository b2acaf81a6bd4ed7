/** The auth service of CAVE: what is asked, for how long an answer counts, and that no answer lets nobody in. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { redactSecrets } from '../../../lib/base/secret-redaction.ts';
import { parseServer } from '../../../lib/cave/cave-server.ts';
import { createHttpClient } from '../../../lib/failures/http-client.ts';
import { CaveAuth, PERMISSIONS_MS, REFUSAL_MS } from '../../../lib/serve/access/cave-auth.ts';
import { mockCave, serveMocks, type MockUser, type ServedMocks } from '../../../mocks/index.ts';

const VIEWER = 'viewer-0123456789abcdef',
  STRANGER = 'stranger-0123456789abcdef',
  UNSIGNED = 'unsigned-0123456789abcdef',
  UNKNOWN = 'unknown-0123456789abcdef';
const TABLE = 'cells v1';
const tokens: Record<string, MockUser> = {};
const cave = mockCave({ tokens, dataset: 'cells', table: TABLE, hasPublicRoots: true }),
  { log, faults } = cave['/auth'];
const http = createHttpClient({ retries: 0 });
const refused: string[] = [];
let served: ServedMocks, ms: number, auth: CaveAuth;

/** Paths of the requests so far, and the tokens that they carried. */
const asked = (): string[] =>
  log.requests.map(
    ({ path, headers }) =>
      `${path.replace('/auth/api/v1', '')} ${headers.authorization.replace('Bearer ', '')}`,
  );
const create = (server: string, tables: readonly string[] = [TABLE], maxRemembered?: number): CaveAuth =>
  new CaveAuth({
    server: parseServer(server),
    http,
    tables,
    maxRemembered,
    now: () => ms,
    onRefused: (key) => refused.push(key),
  });
const mayView = async (token: string, table = TABLE): Promise<boolean> =>
  (await auth.userOf(token, table)).mayView(table);

beforeAll(async () => {
  served = await serveMocks(cave);
});
afterAll(async () => {
  http.close();
  await served.close();
});
beforeEach(() => {
  for (const token of Object.keys(tokens)) delete tokens[token];
  Object.assign(tokens, {
    [VIEWER]: { id: 7, permissions: ['view'] },
    [STRANGER]: { id: 8, permissions: [], admin: true },
    [UNSIGNED]: { id: 9, missingTos: { id: 3, name: 'Terms' } },
  });
  faults.length = 0;
  refused.length = 0;
  log.clear();
  ms = 1000;
  auth = create(served.url);
});

describe('a user', () => {
  test('may view a table with the permission view for its dataset, and with nothing else', async () => {
    expect(await mayView(VIEWER)).toBe(true);
    expect(await mayView(STRANGER)).toBe(false); // neither as a superadmin, nor because the table has public roots
    expect(asked()).toEqual([
      `/user/cache ${VIEWER}`,
      `/service/pychunkedgraph/table/cells%20v1/dataset ${VIEWER}`,
      `/user/cache ${STRANGER}`,
    ]);
  });

  test('may view no table that the service does not know', async () => {
    auth = create(served.url, [TABLE, 'other']);
    expect([
      await mayView(VIEWER),
      await mayView(VIEWER, 'other'),
      await mayView(VIEWER, '__proto__'),
    ]).toEqual([true, false, false]);
  });

  test('who has not accepted the terms is told where', async () => {
    const user = await auth.userOf(UNSIGNED, TABLE);
    expect([user.mayView(TABLE), user.termsOf(TABLE), user.termsOf('other')]).toEqual([
      false,
      `${served.url}/auth/api/v1/tos/3/accept`,
      undefined,
    ]);
    expect((await auth.userOf(VIEWER, TABLE)).termsOf(TABLE)).toBeUndefined();
  });

  test('of a token that is not known is nobody', async () => {
    await expect(auth.userOf(UNKNOWN, TABLE)).rejects.toMatchObject({ code: 'BAD_TOKEN' });
  });
});

describe('an answer', () => {
  test('counts for 5 minutes, and then a revoked token is refused', async () => {
    const { key } = await auth.userOf(VIEWER, TABLE);
    delete tokens[VIEWER];
    log.clear();
    ms += PERMISSIONS_MS - 1;
    expect(await mayView(VIEWER)).toBe(true);
    expect(asked()).toEqual([]);
    ms += 1;
    await expect(auth.userOf(VIEWER, TABLE)).rejects.toMatchObject({ code: 'BAD_TOKEN' });
    expect(asked()).toEqual([`/user/cache ${VIEWER}`]);
    expect(refused).toEqual([key]);
    expect(PERMISSIONS_MS).toBe(300_000);
  });

  test('counts from the question on, however long the answer takes', async () => {
    const asking = auth.userOf(VIEWER, TABLE);
    ms += PERMISSIONS_MS;
    await asking;
    log.clear();
    await auth.userOf(VIEWER, TABLE);
    expect(asked()).toContain(`/user/cache ${VIEWER}`);
  });

  test('that refuses counts for half a minute: a permission, or a token, may be new', async () => {
    expect(await mayView(STRANGER)).toBe(false);
    await expect(auth.userOf(UNKNOWN, TABLE)).rejects.toMatchObject({ code: 'BAD_TOKEN' });
    tokens[STRANGER] = { id: 8, permissions: ['view'] };
    tokens[UNKNOWN] = { id: 10, permissions: ['view'] };
    ms += REFUSAL_MS - 1;
    expect(await mayView(STRANGER)).toBe(false);
    await expect(auth.userOf(UNKNOWN, TABLE)).rejects.toMatchObject({ code: 'BAD_TOKEN' });
    ms += 1;
    expect([await mayView(STRANGER), await mayView(UNKNOWN)]).toEqual([true, true]);
  });

  test('about one table is not asked for again because of another one', async () => {
    auth = create(served.url, [TABLE, 'other']);
    await auth.userOf(VIEWER, TABLE);
    ms += REFUSAL_MS;
    log.clear();
    await auth.userOf(VIEWER, TABLE);
    await auth.userOf(VIEWER, undefined);
    expect(asked()).toEqual([]);
    await auth.userOf(VIEWER, 'other');
    expect(asked()).toEqual([
      `/user/cache ${VIEWER}`,
      `/service/pychunkedgraph/table/other/dataset ${VIEWER}`,
    ]);
  });

  test('is shared by requests that wait for it, and never by another token', async () => {
    const users = await Promise.all(
      [VIEWER, VIEWER, STRANGER, VIEWER].map((token) => auth.userOf(token, TABLE)),
    );
    expect(asked().filter((line) => line.startsWith('/user'))).toHaveLength(2);
    expect(users.map((user) => user.mayView(TABLE))).toEqual([true, true, false, true]);
    expect(new Set(users.map(({ key }) => key)).size).toBe(2);
  });

  test('is kept for a bounded number of tokens, and refusals never push out users', async () => {
    auth = create(served.url, [TABLE], 3);
    await auth.userOf(VIEWER, TABLE);
    const unknown = Array.from({ length: 4 }, (_, k) => `unknown-${k}-0123456789abcdef`);
    for (const token of unknown)
      await expect(auth.userOf(token, TABLE)).rejects.toMatchObject({ code: 'BAD_TOKEN' });
    log.clear();
    await auth.userOf(VIEWER, TABLE);
    expect(asked()).toEqual([]);
    for (const token of [unknown[3], unknown[0]])
      await expect(auth.userOf(token, TABLE)).rejects.toMatchObject({ code: 'BAD_TOKEN' });
    expect(asked()).toEqual([`/user/cache ${unknown[0]}`]); // the oldest was forgotten
  });
});

describe('without an answer', () => {
  test.each([
    ['an error of the server', { status: 500 }],
    ['a busy server', { status: 429 }],
    ['a server that is not found', { status: 404 }],
    ['a web page', { html: true, status: 200 } as const],
    ['a redirect', { status: 302, headers: { location: 'https://evil.example.org/' } }],
    ['something else than JSON', { body: 'true' }],
    ['JSON of another form', { body: '{"permissions_v2": {"cells": "view"}}' }],
    ['a broken connection', { reset: true } as const],
  ])('because of %s, nobody is let in', async (_why, fault) => {
    faults.push(fault);
    await expect(auth.userOf(VIEWER, TABLE)).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' });
    faults.length = 0;
    expect(await mayView(VIEWER)).toBe(true); // a failure is not remembered
  });

  test('about the dataset, nobody is let in', async () => {
    faults.push({ match: /dataset/, status: 503 });
    await expect(auth.userOf(VIEWER, TABLE)).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' });
  });

  test('nobody is let in by an answer that has become too old', async () => {
    expect(await mayView(VIEWER)).toBe(true);
    ms += PERMISSIONS_MS;
    faults.push({ status: 503 });
    await expect(auth.userOf(VIEWER, TABLE)).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' });
  });

  test('at most 64 tokens wait', async () => {
    const waiting = Array.from({ length: 64 }, (_, k) => auth.userOf(`waiting-${k}-0123456789abcdef`, TABLE));
    await expect(auth.userOf(VIEWER, TABLE)).rejects.toMatchObject({
      code: 'AUTH_UNAVAILABLE',
      message: expect.stringContaining('too many'),
    });
    await Promise.allSettled(waiting);
    expect(await mayView(VIEWER)).toBe(true);
  });
});

describe('tokens', () => {
  test('are in no error, and not in what is remembered', async () => {
    faults.push({ status: 401, body: `you sent ${VIEWER}`, headers: { 'x-echo': VIEWER } });
    const error: unknown = await auth.userOf(VIEWER, TABLE).catch((reason: unknown) => reason);
    faults.length = 0;
    await auth.userOf(STRANGER, TABLE);
    const shown = inspect([error, auth], { depth: Infinity, showHidden: true }) + JSON.stringify(error);
    expect(shown).toContain('BAD_TOKEN');
    expect(shown).not.toMatch(/viewer-|stranger-/);
    expect(redactSecrets(STRANGER)).toBe('***');
  });

  test('are sent over TLS or to loopback only', () => {
    for (const server of ['https://global.daf-apis.com', 'http://localhost:5000'])
      expect(() => create(server)).not.toThrow();
    expect(() => create('http://auth.example.org')).toThrow(
      expect.objectContaining({ code: 'INSECURE_TOKEN' }),
    );
  });

  test('go to no host that the service redirects to', async () => {
    const elsewhere = mockCave({ tokens });
    await using other = await serveMocks(elsewhere);
    faults.push({ status: 307, headers: { location: `${other.url}/auth/api/v1/user/cache` } });
    await expect(auth.userOf(VIEWER, TABLE)).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' });
    expect(elsewhere['/auth'].log.requests).toEqual([]);
  });
});
