/**
 * A bucket that is named by the URL of its server behaves like gs:// and s3://: the same requests, the same
 * meaning of replies.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { openStore } from '../../lib/storage/open-store.ts';
import type { OpenStoreOptions } from '../../lib/storage/open-options.ts';
import { secretsFolder } from '../support/clouds.ts';

const http = createHttpClient({ retries: 0 });
const EMPTY = secretsFolder();
const open = (path: string, options: Partial<OpenStoreOptions> = {}) =>
  openStore(path, { http, env: { CLOUD_VOLUME_DIR: EMPTY }, ...options });

beforeAll(() => nock.disableNetConnect());
afterEach(() => {
  const pending = nock.pendingMocks();
  nock.cleanAll();
  expect(pending).toEqual([]);
});
afterAll(() => {
  http.close();
  nock.restore();
});

const GS = 'https://storage.googleapis.com/bucket/a/b';
const SPELLINGS = [
  ['https://storage.googleapis.com/bucket/a/b', GS],
  ['https://storage.googleapis.com/bucket/a/b/', GS],
  ['HTTPS://Storage.GoogleAPIs.com/bucket/a/b', GS],
  ['http://storage.googleapis.com/bucket/a/b', GS],
  ['https://bucket.storage.googleapis.com/a/b', GS],
  ['https://commondatastorage.googleapis.com/bucket/a/b', GS],
  ['https://storage.cloud.google.com/bucket/a/b', GS],
  ['https://storage.googleapis.com/bucket/a%20b/%23', 'https://storage.googleapis.com/bucket/a%20b/%23'],
  ['https://a.dotted.bucket.storage.googleapis.com/a', 'https://storage.googleapis.com/a.dotted.bucket/a'],
  ['gs+https://storage.googleapis.com/bucket/a/b', GS],
  ['https://s3.amazonaws.com/bucket/a/b', 'https://bucket.s3.amazonaws.com/a/b'],
  ['https://bucket.s3.amazonaws.com/a/b', 'https://bucket.s3.amazonaws.com/a/b'],
  ['https://bucket.s3.us-west-2.amazonaws.com/a/b', 'https://bucket.s3.us-west-2.amazonaws.com/a/b'],
  ['https://bucket.s3-us-west-2.amazonaws.com/a/b', 'https://bucket.s3.us-west-2.amazonaws.com/a/b'],
  ['https://s3.eu-central-1.amazonaws.com/bucket/a/b', 'https://bucket.s3.eu-central-1.amazonaws.com/a/b'],
  ['https://s3-eu-central-1.amazonaws.com/bucket/a/b', 'https://bucket.s3.eu-central-1.amazonaws.com/a/b'],
  [
    'https://bucket.s3.dualstack.us-east-2.amazonaws.com/a/b',
    'https://bucket.s3.dualstack.us-east-2.amazonaws.com/a/b',
  ],
  [
    'https://s3.dualstack.us-east-2.amazonaws.com/bucket/a/b',
    'https://bucket.s3.dualstack.us-east-2.amazonaws.com/a/b',
  ],
  ['https://bucket.s3.cn-north-1.amazonaws.com.cn/a', 'https://bucket.s3.cn-north-1.amazonaws.com.cn/a'],
  ['https://my.bucket.s3.us-west-2.amazonaws.com/a', 'https://s3.us-west-2.amazonaws.com/my.bucket/a'],
  ['s3+https://bucket.s3.us-west-2.amazonaws.com/a', 'https://bucket.s3.us-west-2.amazonaws.com/a'],
] as const;

describe.each(SPELLINGS)('%s', (path, url) => {
  test('is read as a bucket', () => expect(open(path).url).toBe(url));

  test('treats 403 as not found, as gs:// and s3:// do', async () => {
    const { origin, pathname } = new URL(url);
    nock(origin).get(`${pathname}/0-1`).reply(200, 'x').get(`${pathname}/1-2`).reply(403);
    const store = open(path, { credentials: 'anonymous' });
    await store.read('0-1');
    expect(await store.read('1-2', { absentBy403: true })).toBeUndefined();
  });
});

test('a URL names the bucket of Google or Amazon, even if the environment names another server for gs:// and s3://', () => {
  const env = {
    CLOUD_VOLUME_DIR: EMPTY,
    STORAGE_EMULATOR_HOST: 'http://127.0.0.1:1',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:2',
  };
  expect(open('https://storage.googleapis.com/bucket/a/b', { env }).url).toBe(GS);
  expect(open('https://s3.amazonaws.com/bucket/a', { env }).url).toBe('https://bucket.s3.amazonaws.com/a');
});

test('a bucket named by a URL is read with requester pays and with credentials', async () => {
  nock('https://bucket.s3.us-west-2.amazonaws.com', {
    reqheaders: {
      'x-amz-request-payer': 'requester',
      authorization: /Credential=AKIDEXAMPLE\/\d{8}\/us-west-2\/s3/,
    },
  })
    .get('/v/info')
    .reply(200, 'x');
  const store = open('https://bucket.s3.us-west-2.amazonaws.com/v', {
    requesterPays: true,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 's3cretKey/+' },
  });
  expect((await store.read('info'))!.bytes).toHaveLength(1);
});

test.each([
  'https://storage.googleapis.com/bucket/a?X-Goog-Signature=1',
  'https://u:p@storage.googleapis.com/bucket/a',
  'https://storage.googleapis.com/storage/v1/b/bucket/o/a',
  'https://storage.googleapis.com/download/storage/v1/b/bucket/o/a',
  'https://storage.googleapis.com/bucket//a',
  'https://storage.googleapis.com:8443/bucket/a',
  'https://storage.googleapis.com.example.org/bucket/a',
  'https://bucket.s3-website-us-east-1.amazonaws.com/a',
  'https://s3-fips.us-east-1.amazonaws.com/bucket/a',
  'https://bucket.s3-accelerate.amazonaws.com/a',
  'https://host.example.org/bucket/a',
])('%s stays plain HTTP', async (path) => {
  const url = new URL(path);
  nock(url.origin)
    .get((path) => path.startsWith(`${url.pathname}/info`))
    .reply(403);
  await expect(open(path).read('info', { absentBy403: true })).rejects.toMatchObject({
    code: 'HTTP_STATUS',
    status: 403,
  });
});
test('a URL with headers stays plain HTTP', async () => {
  nock('https://storage.googleapis.com', { reqheaders: { authorization: 'Bearer t' } })
    .get('/bucket/a/info')
    .reply(403);
  await expect(
    open('https://storage.googleapis.com/bucket/a', { headers: { authorization: 'Bearer t' } }).read('info', {
      absentBy403: true,
    }),
  ).rejects.toMatchObject({ status: 403 });
});

describe('a server named in the path', () => {
  test.each([
    's3://https://minio.example.org/vols/v',
    's3+https://minio.example.org/vols/v',
    'S3+HTTPS://minio.example.org/vols/v/',
    's3://https://minio.example.org:443/vols/v',
  ])('%s is the same as the option endpoint', (path) => {
    expect(open(path).url).toBe(open('s3://vols/v', { endpoint: 'https://minio.example.org' }).url);
  });
  test('keeps its port, and may speak the protocol of Google', () => {
    expect(open('gs+http://127.0.0.1:4443/vols/v').url).toBe('http://127.0.0.1:4443/vols/v');
    expect(open('s3+http://127.0.0.1:9000/vols').url).toBe('http://127.0.0.1:9000/vols');
  });
  test.each([
    ['s3+https://minio.example.org', 'endpoint'],
    ['s3://https://', 'endpoint'],
    ['s3+https://u:p@minio.example.org/b/v', 'user name'],
    ['s3+https://minio.example.org/b/v?sig=1', 'query'],
  ])('%s is refused, with %j', (path, words) => {
    expect(() => open(path)).toThrow(
      expect.objectContaining({
        name: 'PathError',
        code: 'BAD_PATH',
        message: expect.stringContaining(words),
      }),
    );
  });
  test('may not be named twice', () => {
    expect(() => open('s3+https://minio.example.org/b/v', { endpoint: 'https://other.example.org' })).toThrow(
      expect.objectContaining({ code: 'BAD_PATH', message: expect.stringContaining('--endpoint') }),
    );
  });
  test('may not be named by a server', () => {
    expect(() => open('s3+https://minio.example.org/b/v', { allowAddress: 'public' })).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN_ADDRESS' }),
    );
  });
});

test.each(['matrix', 'tigerdata'])('%s:// is refused with advice', (scheme) => {
  expect(() => open(`${scheme}://bucket/ws`)).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED_SCHEME',
      message: expect.stringMatching(new RegExp(`${scheme}:// is not supported.*s3://BUCKET/PATH.*endpoint`)),
    }),
  );
});
