/**
 * Runs that fail in many ways, each with secrets: no output contains one of them, and none reaches another
 * host.
 */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  openGraphene,
  openPrecomputed,
  type OpenGrapheneOptions,
  type StorageOptions,
} from '../../lib/index.ts';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { runCli } from '../cli/run-cli.ts';
import { secretsFolder } from '../support/clouds.ts';
import { BEFORE, spreadPoints, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';

const SECRET = {
  graph: 'graph+secret/0123456789',
  bucket: 'bucket-secret-0123456789',
  header: 'header-secret-0123456789',
  aws: 'aws+secret/0123456789',
  session: 'session+secret/01234',
  google: 'Z29vZ2xlLXNlY3JldC0wMTIzNDU2Nzg5',
};
/** The spellings of a secret: as it is, in a URL, and in base64. */
const SPELLINGS = Object.values(SECRET).flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
]);

const seen: string[] = [];
const note = (what: unknown): void =>
  void seen.push(
    typeof what === 'string'
      ? what
      : inspect(what, {
          depth: Infinity,
          showHidden: true,
          maxStringLength: Infinity,
          maxArrayLength: Infinity,
        }),
    JSON.stringify(what, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? '',
  );
function expectNoSecret(): void {
  const text = seen.join('\n');
  expect(text.length).toBeGreaterThan(0);
  for (const spelling of SPELLINGS)
    expect(
      text.includes(spelling)
        ? `${spelling} in ${text.slice(Math.max(0, text.indexOf(spelling) - 300), text.indexOf(spelling) + 50)}`
        : '',
    ).toBe('');
}
const logger = { warn: note };
/** The full text of an error, with all its causes, messages and stacks. */
async function failing(work: Promise<unknown>): Promise<void> {
  const error: unknown = await work.then(
    (result) => (note(result), undefined),
    (reason: unknown) => reason,
  );
  for (let one = error; one instanceof Error; one = one.cause)
    note([one, one.message, one.stack, String(one)]);
}

/** Replies that repeat the whole request, in every way a server might. */
const ECHOES: Record<string, (request: IncomingMessage, response: ServerResponse, echoed: string) => void> = {
  '401': (_request, response, echoed) =>
    void response
      .writeHead(401, { 'www-authenticate': `Bearer realm="${echoed}"`, 'x-echo': echoed })
      .end(echoed),
  '403': (_request, response, echoed) =>
    void response
      .writeHead(403)
      .end(
        JSON.stringify({
          error: 'missing_tos',
          message: echoed,
          data: { tos_form_url: `https://h/${echoed}` },
        }),
      ),
  '404': (_request, response, echoed) => void response.writeHead(404).end(echoed),
  '500': (_request, response, echoed) =>
    void response.writeHead(500).end(JSON.stringify({ code: 500, message: echoed, traceback: [echoed] })),
  '503': (request, response, echoed) =>
    void response.writeHead(503, { 'retry-after': String(request.headers.authorization) }).end(echoed),
  redirect: (_request, response, echoed) =>
    void response.writeHead(302, { location: `${elsewhere.origin}/login?redirect=here` }).end(echoed),
  'redirect to a log-in that repeats it': (request, response) =>
    void response
      .writeHead(302, {
        location: `/login?token=${encodeURIComponent(String(request.headers.authorization))}`,
      })
      .end(),
  'web page': (_request, response, echoed) =>
    void response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<html><title>${echoed}</title>${echoed}</html>`),
  nonsense: (_request, response, echoed) => void response.writeHead(200).end(echoed),
  'info of nonsense': (_request, response, echoed) =>
    void response
      .writeHead(200)
      .end(JSON.stringify({ type: echoed, scales: echoed, graph: echoed, data_dir: 'gs://b/p' })),
  reset: (request) => void request.socket.resetAndDestroy(),
};

let echo: LoopbackServer, elsewhere: LoopbackServer, folder: string, secrets: string;
let way = '';
let mocks: ServedMocks;
const env = { ...process.env };
const graph = worldGraph({ token: SECRET.graph }),
  bucket = worldBucket({ token: SECRET.bucket });

beforeAll(async () => {
  elsewhere = await serve((_request, response) => void response.writeHead(403).end('no'));
  echo = await serve((request, response) =>
    ECHOES[way](request, response, Object.values(request.headers).join(' ')),
  );
  mocks = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  folder = await mkdtemp(join(tmpdir(), 'gp-leak-'));
  const host = new URL(echo.origin).host;
  secrets = secretsFolder({
    [`${host}-cave-secret.json`]: { token: SECRET.graph },
    'aws-secret.json': { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: SECRET.aws },
  });
});
beforeEach(() => void (seen.length = 0));
afterEach(() => {
  process.env = { ...env };
  note(elsewhere.requests.map(({ path, headers, body }) => ({ path, headers, body: String(body) })));
  expectNoSecret();
});
afterAll(async () => {
  await Promise.all([
    echo.close(),
    elsewhere.close(),
    mocks.close(),
    rm(folder, { recursive: true }),
    rm(secrets, { recursive: true }),
  ]);
});

const open = (options: OpenGrapheneOptions = {}, origin = echo.origin) =>
  openGraphene(`graphene://${origin}/segmentation/table/world`, {
    retries: 0,
    timestamp: BEFORE,
    logger,
    ...options,
  });

describe.each(Object.keys(ECHOES))('a server that answers with %s', (name) => {
  beforeEach(() => {
    way = name;
    echo.requests.length = 0;
  });

  test.each<[string, () => Promise<unknown>]>([
    ['option', () => open({ token: SECRET.graph })],
    ['environment', () => ((process.env.CAVE_TOKEN = SECRET.graph), open())],
    ['file', () => ((process.env.CLOUD_VOLUME_DIR = secrets), delete process.env.CAVE_TOKEN, open())],
  ])('does not reveal the graph token of the %s', async (_from, opening) => {
    await failing(opening());
    // The token did reach its own server.
    expect(echo.requests[0].headers.authorization).toBe(`Bearer ${SECRET.graph}`);
  });

  test.each<[string, string, StorageOptions]>([
    ['a bearer token', '', { token: SECRET.bucket }],
    ['a header', '', { headers: { 'x-api-key': SECRET.header } }],
    [
      'AWS keys',
      's3',
      { credentials: { accessKeyId: 'AKID', secretAccessKey: SECRET.aws, sessionToken: SECRET.session } },
    ],
    ['a signed URL', `?X-Signature=${encodeURIComponent(SECRET.bucket)}`, {}],
  ])('does not reveal %s of the bucket', async (_what, how, storage) => {
    const path = how === 's3' ? 's3://bucket/v' : `${echo.origin}/v${how}`;
    await failing(
      openPrecomputed(path, {
        retries: 0,
        logger,
        storage: how === 's3' ? { ...storage, endpoint: echo.origin, region: 'us-east-1' } : storage,
      }),
    );
    expect(echo.requests.length).toBeGreaterThan(0);
  });

  test('does not reveal them when it holds the chunks of a working graph', async () => {
    const volume = await open(
      { token: SECRET.graph, dataDir: `${echo.origin}/v`, storage: { token: SECRET.bucket } },
      mocks.url,
    );
    const points = spreadPoints(3);
    await failing(volume.scatteredPoints(points));
    await failing(
      volume
        .scatteredPoints(points, { onError: 'status' })
        .then((result) => [...result.rows()].map((row) => [row, row.error, row.error?.cause])),
    );
    await failing(volume.rootAt([17, 8, 4]));
    note(volume);
    await volume.close();
    expect(echo.requests.map(({ headers }) => headers.authorization)).toEqual(
      echo.requests.map(() => `Bearer ${SECRET.bucket}`),
    );
  });

  test('does not reveal them in the output of the command', async () => {
    Object.assign(process.env, { CAVE_TOKEN: SECRET.graph });
    const input = join(folder, 'points.csv'),
      output = join(folder, 'out.csv'),
      stats = join(folder, 'stats.json');
    await writeFile(input, 'x,y,z\n17,8,4\n');
    for (const argv of [
      ['info', `graphene://${echo.origin}/segmentation/table/world`],
      [
        'lookup',
        `graphene://${mocks.url}/segmentation/table/world`,
        '--data-dir',
        `${echo.origin}/v`,
        '--points',
        input,
        '--out',
        output,
        '--stats',
        stats,
      ],
    ]) {
      const result = await runCli([...argv, '--retries', '0']);
      note(result);
      // A chunk that is not stored is an answer.
      expect(result.code).toBe(argv[0] === 'info' ? 2 : name === '404' ? 0 : 1);
    }
    for (const file of await readdir(folder))
      if ((await stat(join(folder, file))).isFile()) note(await readFile(join(folder, file), 'latin1'));
  });
});

test('cache files, stats and results contain no secret', async () => {
  const cacheDir = join(folder, 'cache'),
    file = join(folder, 'roots.snapshot');
  const volume = await open(
    { token: SECRET.graph, storage: { token: SECRET.bucket }, cacheDir, rootCache: { file } },
    mocks.url,
  );
  const result = await volume.scatteredPoints(spreadPoints(100));
  note([result.stats, [...result.rows()], volume.rootCache?.stats, volume.info]);
  await volume.close();
  const names = await readdir(folder, { recursive: true });
  const files = (
    await Promise.all(
      names.map(async (name) => ((await stat(join(folder, name))).isFile() ? name : undefined)),
    )
  ).filter((name) => name !== undefined);
  let cachedChunks = 0;
  for await (const { length } of new CacheFolder(cacheDir, 1).index.entries())
    cachedChunks += Math.sign(length);
  expect(cachedChunks).toBeGreaterThan(50);
  expect(files).toContain('roots.snapshot');
  for (const name of files) note([name, await readFile(join(folder, name), 'latin1')]);
  expect(
    graph.log.requests.filter(({ headers }) => headers.authorization !== `Bearer ${SECRET.graph}`),
  ).toEqual([]);
  expect(
    bucket.log.requests.filter(({ headers }) => headers.authorization !== `Bearer ${SECRET.bucket}`),
  ).toEqual([]);
});

test('a Google key that cannot be used is not shown', async () => {
  const key = {
    type: 'service_account',
    client_email: 'who@project.iam.gserviceaccount.com',
    private_key: `-----BEGIN PRIVATE KEY-----\n${SECRET.google}\n-----END PRIVATE KEY-----\n`,
  };
  await failing(openPrecomputed('gs://bucket/v', { retries: 0, logger, storage: { credentials: key } }));
});
