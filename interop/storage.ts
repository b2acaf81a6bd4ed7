/**
 * Compares reads of private buckets with those of the vendors' own clients, which also write the objects.
 *
 * The servers are versitygw (S3; it checks every signature) and fake-gcs-server (Google's API) behind a proxy
 * that requires a token.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { openPrecomputed } from 'graphene-points';
import { LookupError } from '../lib/base/errors.ts';
import { createHttpClient } from '../lib/failures/http-client.ts';
import type { HttpClient } from '../lib/http/http-request.ts';
import { openStore } from '../lib/storage/open-store.ts';
import type { OpenStoreOptions } from '../lib/storage/open-options.ts';
import type { ByteRange, Store } from '../lib/storage/store.ts';
import { loadFixture, VOLUMES_FOLDER } from '../testing/fixtures.ts';
import { S3_USER, startGs, startS3 } from './bucket-servers.ts';
import type { Comparison } from './comparison.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';

const { accessKeyId: ACCESS, secretAccessKey: SECRET, region: REGION } = S3_USER;
const CREDENTIALS = { accessKeyId: ACCESS, secretAccessKey: SECRET };
const VOLUME = 'seg_compresso_u64_gzip';

const KEYS: { key: string; bytes: Uint8Array; contentEncoding?: string }[] = [
  { key: 'info', bytes: Uint8Array.from({ length: 100 }, (_, k) => k) },
  { key: '8_8_40/0-64_0-64_0-16', bytes: Uint8Array.of(1, 2, 3) },
  { key: 'empty', bytes: new Uint8Array(0) },
  { key: 'odd/a b%20c#d?e=f&g+h;i\u00e9\u{1f9e0}', bytes: Uint8Array.of(7, 8, 9) },
  { key: "odd/quotes'(1)*!~@,:$.bin", bytes: Uint8Array.of(4, 5, 6) },
  { key: 'encoded/gzip', bytes: Uint8Array.of(0x1f, 0x8b, 9), contentEncoding: 'gzip' },
  { key: 'encoded/br', bytes: Uint8Array.of(5, 6, 7), contentEncoding: 'br' },
];
const RANGES: (ByteRange | undefined)[] = [undefined, { start: 0, end: 2 }, { start: 1, end: 1000 }];

type Read = { bytes: string; encoding: string } | string;

export const storage: Part = async ({ python, comparison }) => {
  await using client = new PythonClient(python, 'buckets_client.py');
  const http = createHttpClient({ retries: 0 });
  const folder = mkdtempSync(join(tmpdir(), 'buckets-'));
  try {
    await compareS3(client, comparison, http, folder);
    await compareGs(client, comparison, http, folder);
  } finally {
    http.close();
    rmSync(folder, { recursive: true });
  }
};

async function compareS3(
  client: PythonClient,
  comparison: Comparison,
  http: HttpClient,
  folder: string,
): Promise<void> {
  await using server = await startS3(folder);
  const endpoint = server.origin;
  await client.call('s3_open', { endpoint, access: ACCESS, secret: SECRET, region: REGION });
  for (const [bucket, isPublic] of [
    ['private-bucket', false],
    ['public-bucket', true],
  ] as const) {
    await client.call('s3_bucket', { bucket, public: isPublic });
    for (const { key, bytes, contentEncoding } of objects())
      await client.call('s3_put', { bucket, key, data: base64(bytes), encoding: contentEncoding ?? '' });
  }

  // Each way in which a user's machine may hold credentials.
  const secrets = join(folder, 'cv'),
    empty = join(folder, 'empty');
  mkdirSync(join(secrets, 'secrets'), { recursive: true });
  writeFileSync(
    join(secrets, 'secrets', 'private-bucket-aws-secret.json'),
    JSON.stringify({ AWS_ACCESS_KEY_ID: ACCESS, AWS_SECRET_ACCESS_KEY: SECRET }),
  );
  writeFileSync(
    join(folder, 'credentials'),
    `[default]\naws_access_key_id = NOBODY\naws_secret_access_key = nothing\n[lab]\naws_access_key_id = ${ACCESS}\naws_secret_access_key = ${SECRET}\n`,
  );
  const none = { CLOUD_VOLUME_DIR: empty, AWS_ENDPOINT_URL_S3: endpoint };
  const aws = {
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_CONFIG_FILE: join(folder, 'no-config'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const ways: Record<string, { options: Partial<OpenStoreOptions>; process?: NodeJS.ProcessEnv }> = {
    'credentials, region': { options: { credentials: CREDENTIALS, region: REGION, endpoint, env: {} } },
    'credentials, region found out': { options: { credentials: CREDENTIALS, endpoint, env: {} } },
    'requester pays': { options: { credentials: CREDENTIALS, endpoint, requesterPays: true, env: {} } },
    'a CloudVolume secret file': { options: { env: { ...none, CLOUD_VOLUME_DIR: secrets } } },
    'a profile': { options: { env: none, profile: 'lab' } },
    AWS_PROFILE: { options: { env: none }, process: { AWS_PROFILE: 'lab' } },
    AWS_ACCESS_KEY_ID: {
      options: { env: none },
      process: { AWS_ACCESS_KEY_ID: ACCESS, AWS_SECRET_ACCESS_KEY: SECRET },
    },
  };
  const theirs = (bucket: string) => (key: string, range: ByteRange | undefined) =>
    client.call<Read>('s3_get', { bucket, key, range: range ? `bytes=${range.start}-${range.end - 1}` : '' });
  for (const [way, { options, process: env }] of Object.entries(ways))
    await withEnvironment({ ...aws, ...env }, () =>
      compareStore(
        `s3, ${way}`,
        comparison,
        theirs('private-bucket'),
        openStore('s3://private-bucket', { http, ...options }),
      ),
    );
  await compareStore(
    's3, public',
    comparison,
    theirs('public-bucket'),
    openStore('s3://public-bucket', { http, endpoint, credentials: 'anonymous', env: {} }),
    { absentBy403: true },
  );

  await expectRefusal('a wrong secret', comparison, /403 SignatureDoesNotMatch/, () =>
    openStore('s3://private-bucket', {
      http,
      endpoint,
      credentials: { ...CREDENTIALS, secretAccessKey: 'wrong' },
      env: {},
    }).read('info'),
  );
  await expectRefusal('anonymous', comparison, /answered 403: .*credentials: 'anonymous'/, () =>
    openStore('s3://private-bucket', { http, endpoint, credentials: 'anonymous', env: {} }).read('info'),
  );
  await withEnvironment({ ...aws, AWS_SHARED_CREDENTIALS_FILE: join(folder, 'no-credentials') }, () =>
    expectRefusal(
      'no credentials anywhere',
      comparison,
      /answered 403: .*no AWS credentials were found in .*aws configure/,
      () => openStore('s3://private-bucket', { http, env: none }).read('info'),
    ),
  );
  await compareVolume('s3://private-bucket/volume', comparison, { endpoint, credentials: CREDENTIALS });
}

async function compareGs(
  client: PythonClient,
  comparison: Comparison,
  http: HttpClient,
  folder: string,
): Promise<void> {
  await using server = await startGs(folder);
  const { port } = server,
    host = `127.0.0.1:${port}`;
  await client.call('gs_open', { endpoint: server.origin });
  await client.call('gs_bucket', { bucket: 'some-bucket' });
  for (const { key, bytes, contentEncoding } of objects())
    await client.call('gs_put', {
      bucket: 'some-bucket',
      key,
      data: base64(bytes),
      encoding: contentEncoding ?? '',
    });

  const theirs = (key: string, range: ByteRange | undefined) =>
    client.call<Read>('gs_get', {
      bucket: 'some-bucket',
      key,
      start: range?.start ?? null,
      end: range?.end ?? null,
    });
  await compareStore(
    'gs, an emulator',
    comparison,
    theirs,
    openStore('gs://some-bucket', { http, env: { STORAGE_EMULATOR_HOST: host } }),
  );
  await using proxy = await startTokenGuard(port, 'T0ken');
  const at = {
    http,
    endpoint: proxy.origin,
    env: { CLOUD_VOLUME_DIR: folder, CLOUDSDK_CONFIG: folder, METADATA_SERVER_DETECTION: 'none' },
  };
  await compareStore(
    'gs, a token',
    comparison,
    theirs,
    openStore('gs://some-bucket', { ...at, headers: { authorization: 'Bearer T0ken' } }),
  );
  await expectRefusal(
    'gs, no credentials anywhere',
    comparison,
    /answered 401.*no Google credentials were found in .*gcloud auth application-default login/,
    () => openStore('gs://some-bucket', at).read('info'),
  );
  await compareVolume('gs://some-bucket/volume', comparison, { endpoint: proxy.origin, token: 'T0ken' });
}

/** Returns objects with unusual keys, sizes and encodings, and the files of a fixture volume. */
function objects(): { key: string; bytes: Uint8Array; contentEncoding?: string }[] {
  const root = join(VOLUMES_FOLDER, VOLUME);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const volume = files.map((entry) => {
    const path = join(entry.parentPath, entry.name),
      name = relative(root, path).split(sep).join('/');
    return {
      key: `volume/${name.replace(/\.gz$/, '')}`,
      bytes: readFileSync(path),
      contentEncoding: name.endsWith('.gz') ? 'gzip' : undefined,
    };
  });
  return [...KEYS, ...volume];
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

async function compareStore(
  what: string,
  comparison: Comparison,
  theirs: (key: string, range: ByteRange | undefined) => Promise<Read>,
  store: Store,
  options: { absentBy403?: boolean } = {},
): Promise<void> {
  for (const { key, bytes } of KEYS)
    for (const range of RANGES) {
      if (range && range.start >= bytes.length) continue;
      const object = await store.read(key, { range, ...options });
      comparison.same(
        `${what}: ${key} ${JSON.stringify(range)}`,
        await theirs(key, range),
        object && { bytes: base64(object.bytes), encoding: object.contentEncoding ?? '' },
      );
    }
  comparison.same(
    `${what}: a missing key`,
    await theirs('odd/missing', undefined),
    (await store.read('odd/missing', options)) ?? 'NoSuchKey',
  );
}

/** Compares the values of a fixture volume, read through `openPrecomputed`, with the expected values. */
async function compareVolume(path: string, comparison: Comparison, options: object): Promise<void> {
  const {
    scales: [{ points, values }],
  } = loadFixture(VOLUME);
  const volume = await openPrecomputed(path, { storage: options });
  try {
    const read = await volume.scatteredPoints(points);
    comparison.same(
      path,
      values.map((value) => value ?? '0'),
      read.values,
    );
  } finally {
    await volume.close();
  }
}

async function expectRefusal(
  what: string,
  comparison: Comparison,
  pattern: RegExp,
  read: () => Promise<unknown>,
): Promise<void> {
  const error: unknown = await read().catch((reason: unknown) => reason);
  const message = error instanceof LookupError ? error.message : `not a LookupError: ${String(error)}`;
  comparison.same(`${what} (${message})`, true, pattern.test(message) && !message.includes(SECRET));
}

/**
 * Runs `work` with changed environment variables of this process, because the vendors' libraries read them
 * there.
 */
async function withEnvironment(env: NodeJS.ProcessEnv, work: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    await work();
  } finally {
    for (const name of Object.keys(env))
      before[name] === undefined ? delete process.env[name] : (process.env[name] = before[name]);
  }
}

/** Starts a proxy that forwards requests with the token, and answers 401 to all others, as Google does. */
async function startTokenGuard(port: number, token: string): Promise<AsyncDisposable & { origin: string }> {
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`)
      return void response.writeHead(401).end('Anonymous caller does not have storage.objects.get access');
    const headers: OutgoingHttpHeaders = { ...request.headers, host: `127.0.0.1:${port}` };
    delete headers.authorization;
    httpRequest({ port, host: '127.0.0.1', path: request.url ?? '/', headers }, (reply) => {
      response.writeHead(reply.statusCode!, reply.headers);
      reply.pipe(response);
    }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
