/**
 * A server repeats the token that it got, in many spellings and places: no output contains 8 consecutive
 * characters of it.
 */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openGraphene, openPrecomputed } from '../../lib/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { runCli } from '../cli/run-cli.ts';
import { BEFORE, GRAPH_INFO, spreadPoints, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';
import { ownPart, readEscapes, showsRun, spellingsOf } from '../support/secret-spellings.ts';

const TOKEN = 'tQ3+vR8/xZ1kWmN7bD5cJ9gHpLs2';
const SPELLINGS = spellingsOf(TOKEN);

const seen: string[] = [];
const note = (what: unknown): void => {
  const json =
    JSON.stringify(what, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? '';
  seen.push(
    typeof what === 'string'
      ? what
      : inspect(what, { depth: Infinity, showHidden: true, maxStringLength: Infinity, maxArrayLength: 1000 }),
    json,
  );
};
const logger = { warn: note };
async function failing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    for (let one: unknown = error; one instanceof Error; one = one.cause)
      note([one, one.message, one.stack, String(one), { ...one }]);
    return undefined;
  }
}

type Says = (response: ServerResponse, echoed: string, path: string) => void;
const info = (more: object): string => JSON.stringify({ ...GRAPH_INFO, ...more });
const scale = GRAPH_INFO.scales[0];
/** Replies to the request for the info. All other requests get a 404. */
const PLACES: Record<string, Says> = {
  'a body': (response, echoed) => void response.writeHead(400).end(echoed),
  'a body that is cut within the token': (response, echoed) =>
    void response.writeHead(400).end(`${'x'.repeat(185)} ${echoed}`),
  'a body longer than the size limit': (response, echoed) =>
    void response.writeHead(418).end(`${' '.repeat(16_384 - 14)}${echoed}`),
  'a message': (response, echoed) =>
    void response.writeHead(403).end(JSON.stringify({ code: 403, message: `no: ${echoed}` })),
  headers: (response, echoed) =>
    void response
      .writeHead(401, {
        'www-authenticate': `Bearer realm="https://h/${echoed}/authorize"`,
        'retry-after': echoed,
        etag: echoed,
      })
      .end(echoed),
  'a Location header': (response, echoed) =>
    void response.writeHead(302, { location: `/${encodeURIComponent(echoed)}` }).end(),
  'a redirect': (response, echoed) =>
    void response.end(info({ redirect: `graphene://http://127.0.0.1:1/segmentation/table/${echoed}` })),
  'a redirect in a circle': (response, echoed, path) =>
    void response.end(
      info({
        redirect: path.includes('again')
          ? `graphene://{HOST}/segmentation/table/world`
          : `graphene://{HOST}/segmentation/table/again${encodeURIComponent(echoed).replaceAll('%2F', '')}`,
      }),
    ),
  'a data_dir': (response, echoed) => void response.end(info({ data_dir: `http://127.0.0.1:1/${echoed}` })),
  'a data_dir that is refused': (response, echoed) =>
    void response.end(info({ data_dir: `ftp://${echoed}` })),
  'a key': (response, echoed) =>
    void response.end(
      info({ data_dir: '{HOST}/bucket', scales: [{ ...scale, key: echoed.replaceAll('/', '_') }] }),
    ),
  'a key that is refused': (response, echoed) =>
    void response.end(info({ data_dir: '{HOST}/bucket', scales: [{ ...scale, key: `../${echoed}` }] })),
  'fields of its own': (response, echoed) =>
    void response.end(info({ data_dir: '{HOST}/bucket', [echoed]: { deep: [echoed] } })),
  'a field with an invalid value': (response, echoed) =>
    void response.end(info({ type: echoed, data_type: echoed })),
};

let server: LoopbackServer, mocks: ServedMocks, folder: string;
let place = '',
  echoed = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp-echo-'));
  mocks = await serveMocks({ '/segmentation': worldGraph({ token: TOKEN }), '/bucket': worldBucket() });
  server = await serve((request, response) => {
    if (!request.url!.endsWith('/info')) return void response.writeHead(404).end(echoed);
    const end = response.end.bind(response) as (body?: string) => ServerResponse;
    response.end = ((body?: string) => end(body?.replaceAll('{HOST}', server.origin))) as typeof response.end;
    PLACES[place](response, echoed, request.url!);
  });
});
afterEach(() => {
  const text = [...new Set(seen.splice(0))].join('\n'),
    read = readEscapes(text);
  expect(text.length).toBeGreaterThan(0);
  for (const one of new Set([
    TOKEN,
    ...Object.keys(SPELLINGS).map((name) => ownPart(name, SPELLINGS[name], TOKEN)),
  ]))
    for (const shown of [text, read]) expect(showsRun(shown, one)).toBeUndefined();
});
afterAll(() => Promise.all([server.close(), mocks.close(), rm(folder, { recursive: true })]));

describe.each(Object.keys(PLACES))('in %s', (where) => {
  test('the token of a graph server is hidden', async () => {
    place = where;
    const cache = join(folder, `cache-${Object.keys(PLACES).indexOf(where)}`);
    for (const name of Object.keys(SPELLINGS)) {
      echoed = SPELLINGS[name];
      const cacheDir = cache;
      const volume = await failing(
        openGraphene(`graphene://${server.origin}/segmentation/table/world`, {
          retries: 0,
          token: TOKEN,
          logger,
          timestamp: BEFORE,
          cacheDir,
        }),
      );
      if (volume) {
        note([
          volume,
          volume.info,
          volume.scales,
          volume.graph,
          volume.graph.info,
          volume.graph.dataDir,
          volume.redirects,
        ]);
        await failing(volume.scatteredPoints(spreadPoints(2), { agglomerate: false }).then(note));
        await failing(
          volume
            .scatteredPoints(spreadPoints(2), { agglomerate: false, onError: 'status' })
            .then((result) => note([...result.rows()].map((row) => [row, row.error]))),
        );
        await failing(volume.graph.request('x'));
        await volume.close();
      }
    }
    expect(server.requests.some(({ headers }) => headers.authorization === `Bearer ${TOKEN}`)).toBe(true);
    for (const name of await readdir(cache, { recursive: true }).catch(() => []))
      if ((await stat(join(cache, name))).isFile()) note(await readFile(join(cache, name), 'latin1'));
    seen.push('-');
  });

  test('the token of a bucket is hidden', async () => {
    place = where;
    for (const name of ['as it is', 'in lower case', 'in a URL', 'base64 of a header', 'hex']) {
      echoed = SPELLINGS[name];
      for (const [path, storage] of [
        [`${server.origin}/v`, { token: TOKEN }],
        [`${server.origin}/v`, { headers: { 'x-api-key': TOKEN } }],
        [`${server.origin}/v?sig=${encodeURIComponent(TOKEN)}`, {}],
      ] as const) {
        const volume = await failing(openPrecomputed(path, { retries: 0, logger, storage }));
        if (volume) note([volume, volume.info, volume.scales]);
        await volume?.close();
      }
    }
  });

  test('the token is hidden by the commands', async () => {
    place = where;
    process.env.CAVE_TOKEN = TOKEN;
    try {
      for (const name of ['as it is', 'in upper case', 'base64', 'hex', 'in a URL']) {
        echoed = SPELLINGS[name];
        for (const command of [['info'], ['doctor'], ['info', '--json'], ['graph', 'info']])
          note(
            await runCli([
              ...command,
              `graphene://${server.origin}/segmentation/table/world`,
              '--retries',
              '0',
            ]),
          );
      }
    } finally {
      delete process.env.CAVE_TOKEN;
    }
  });
});

test('a key of 4 MB is not shown in full', async () => {
  place = 'a key';
  echoed = 'k'.repeat(4 << 20);
  const opened = await failing(
    openGraphene(`graphene://${server.origin}/segmentation/table/world`, {
      retries: 0,
      token: TOKEN,
      logger,
    }),
  );
  if (opened) {
    const [row] = (
      await opened.scatteredPoints(spreadPoints(1), { agglomerate: false, onError: 'status' })
    ).rows();
    note(row.error ?? '');
    await opened.close();
  }
  note(await runCli(['info', `graphene://${server.origin}/segmentation/table/world`]));
  for (const text of seen) expect(text.length).toBeLessThan(20_000);
});
