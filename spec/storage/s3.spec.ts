import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import nock from 'nock';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { openStore } from '../../lib/storage/open-store.ts';
import type { OpenStoreOptions } from '../../lib/storage/open-options.ts';
import { newMeter } from '../../lib/storage/store.ts';
import { s3ErrorBody, secretsFolder, stopClock } from '../support/clouds.ts';

const http = createHttpClient({ retries: 2, backoffMs: 1 });
const EMPTY = secretsFolder();
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 's3cretKey/+' };
const GLOBAL = 'https://bucket.s3.amazonaws.com';
/** Variables that AWS's packages read from the environment of the process. */
const AWS_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_S3',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

beforeAll(() => nock.disableNetConnect());
beforeEach(() => {
  for (const name of AWS_VARIABLES) delete process.env[name];
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SHARED_CREDENTIALS_FILE: join(EMPTY, 'credentials'),
    AWS_CONFIG_FILE: join(EMPTY, 'config'),
  });
  for (const name of ['credentials', 'config']) writeFileSync(join(EMPTY, name), '');
});
afterEach(() => {
  jest.useRealTimers();
  const pending = nock.pendingMocks();
  nock.cleanAll();
  expect(pending).toEqual([]);
});
afterAll(() => {
  http.close();
  nock.restore();
});

const open = (options: Partial<OpenStoreOptions> = {}, path = 's3://bucket') =>
  openStore(path, { http, env: { CLOUD_VOLUME_DIR: EMPTY }, ...options });

type Reply = [status: number, body?: string, headers?: Record<string, string>];
/** Mocks the replies of a server, in order. Returns the paths and headers of the requests. */
function answers(origin: string, ...replies: Reply[]) {
  const requested: { path: string; headers: Record<string, string> }[] = [];
  for (const [status, body = '', headers = {}] of replies)
    nock(origin)
      .get(/.*/)
      .reply(function (path) {
        requested.push({ path, headers: { ...this.req.headers } });
        return [status, body, headers];
      });
  return requested;
}
const keyOf = ({ headers }: { headers: Record<string, string> }): string | undefined =>
  /Credential=([^/]*)/.exec(headers.authorization ?? '')?.[1];
const regionOf = ({ headers }: { headers: Record<string, string> }): string | undefined =>
  /Credential=[^/]*\/\d{8}\/([^/]*)\/s3\//.exec(headers.authorization ?? '')?.[1];
const REFUSED: Reply = [403, s3ErrorBody('AccessDenied')];

interface Signature {
  name: string;
  url: string;
  region: string;
  keys: [string, string, string?];
  headers: Record<string, string>;
  signed: Record<string, string>;
}

describe('s3:// signatures', () => {
  const { now, cases } = JSON.parse(
    readFileSync(new URL('../fixtures/storage/sigv4.json', import.meta.url), 'utf8'),
  ) as { now: string; cases: Signature[] };

  test.each(cases)(
    'are equal to those of botocore: $name',
    async ({ url, region, keys: [accessKeyId, secretAccessKey, sessionToken], headers, signed }) => {
      stopClock(now);
      const { origin, pathname, hostname } = new URL(url);
      const requested = answers(origin, [200, 'x']);
      const named = hostname === '127.0.0.1' ? { endpoint: origin } : {};
      const path = decodeURIComponent(pathname.slice(1));
      const [bucket, key] =
        hostname === '127.0.0.1'
          ? [path.slice(0, path.indexOf('/')), path.slice(path.indexOf('/') + 1)]
          : [hostname.split('.')[0], path];
      const amazon = hostname.endsWith('.s3.amazonaws.com');
      const store = open(
        {
          credentials: { accessKeyId, secretAccessKey, sessionToken },
          requesterPays: 'x-amz-request-payer' in headers,
          ...named,
          ...(!amazon && { region }),
        },
        `s3://${bucket}`,
      );
      // For Amazon's endpoint without a region, requests are signed for us-east-1 until the region is known.
      if (amazon && region !== 'us-east-1') {
        nock.cleanAll();
        answers(origin, [301, s3ErrorBody('PermanentRedirect'), { 'x-amz-bucket-region': region }]);
        const later = answers(`https://${bucket}.s3.${region}.amazonaws.com`, [200, 'x']);
        await store.read(key);
        expect(regionOf(later[0])).toBe(region);
        return;
      }
      await store.read(key);
      expect(requested[0].path).toBe(pathname);
      expect(requested[0].headers).toMatchObject(signed);
    },
  );

  test('are made again for every attempt', async () => {
    stopClock('2026-11-22T20:00:00Z');
    let first = '';
    nock(GLOBAL)
      .get('/k')
      .reply(function () {
        first = this.req.headers.authorization;
        jest.setSystemTime(new Date('2026-11-22T20:05:00Z'));
        return [503, s3ErrorBody('SlowDown')];
      });
    const requested = answers(GLOBAL, [200, 'x']);
    await open({ credentials: KEYS }).read('k');
    expect(requested[0].headers['x-amz-date']).toBe('20261122T200500Z');
    expect(requested[0].headers.authorization).not.toBe(first);
  });
  test('do not follow a redirect to another host', async () => {
    nock('http://127.0.0.1:9').get('/bucket/k').reply(302, '', { location: 'http://127.0.0.1:10/stolen' });
    const elsewhere = answers('http://127.0.0.1:10', [200, 'x']);
    await open({ credentials: KEYS, endpoint: 'http://127.0.0.1:9' }).read('k');
    expect(
      Object.keys(elsewhere[0].headers).filter(
        (name) => name.startsWith('x-amz') || name === 'authorization',
      ),
    ).toEqual([]);
  });
});

describe('s3:// credentials', () => {
  const file = (key: string) => ({ AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: 's' });
  const everything = () =>
    secretsFolder({ 'bucket-aws-secret.json': file('OFBUCKET'), 'aws-secret.json': file('OFALL') });
  const aProfile = (): void => {
    writeFileSync(
      join(EMPTY, 'credentials'),
      '[default]\naws_access_key_id = OFDEFAULT\naws_secret_access_key = s\n[lab]\naws_access_key_id = OFLAB\naws_secret_access_key = s\n',
    );
  };

  test.each<[string, string, Partial<OpenStoreOptions>, NodeJS.ProcessEnv]>([
    [
      'the option first',
      'AKIDEXAMPLE',
      { credentials: KEYS, env: { CLOUD_VOLUME_DIR: everything() } },
      { AWS_ACCESS_KEY_ID: 'OFENV', AWS_SECRET_ACCESS_KEY: 's' },
    ],
    [
      "the bucket's own file",
      'OFBUCKET',
      { env: { CLOUD_VOLUME_DIR: everything() } },
      { AWS_ACCESS_KEY_ID: 'OFENV', AWS_SECRET_ACCESS_KEY: 's' },
    ],
    [
      'the file for all buckets',
      'OFALL',
      {
        env: {
          CLOUD_VOLUME_DIR: secretsFolder({
            'aws-secret.json': file('OFALL'),
            'other-aws-secret.json': file('OFOTHER'),
          }),
        },
      },
      {},
    ],
    ['the environment', 'OFENV', {}, { AWS_ACCESS_KEY_ID: 'OFENV', AWS_SECRET_ACCESS_KEY: 's' }],
    ['the default profile', 'OFDEFAULT', {}, {}],
    ['AWS_PROFILE', 'OFLAB', {}, { AWS_PROFILE: 'lab' }],
    [
      'the option profile, before files',
      'OFLAB',
      { profile: 'lab', env: { CLOUD_VOLUME_DIR: everything() } },
      {},
    ],
  ])('come from %s', async (_name, key, options, env) => {
    aProfile();
    Object.assign(process.env, env);
    const first = options.credentials ?? options.profile; // given by the user: no anonymous request
    const requested = answers(GLOBAL, ...(first ? [] : [REFUSED]), [200, 'x'], [200, 'y']);
    const store = open(options);
    const meter = newMeter();
    await store.read('k', { meter });
    await store.read('l', { meter });
    expect(requested.map(keyOf)).toEqual([...(first ? [] : [undefined]), key, key]);
    expect(meter.requests).toBe(requested.length);
  });

  test('are not searched for a public bucket', async () => {
    const requested = answers(GLOBAL, [200, 'x'], [404], [403, s3ErrorBody('AccessDenied')]);
    const store = open({ env: { CLOUD_VOLUME_DIR: secretsFolder({ 'aws-secret.json': 'broken' }) } });
    expect((await store.read('info'))!.bytes).toHaveLength(1);
    expect(await store.read('k')).toBeUndefined();
    const meter = newMeter();
    expect(await store.read('k', { absentBy403: true, meter })).toBeUndefined();
    expect([requested.map(keyOf), meter.absentBy403]).toEqual([[undefined, undefined, undefined], 1]);
  });
  test('that are refused do not stop anonymous reads of a public bucket', async () => {
    const env = { CLOUD_VOLUME_DIR: secretsFolder({ 'aws-secret.json': file('STRANGER') }) };
    const requested = answers(
      GLOBAL,
      REFUSED,
      [403, s3ErrorBody('InvalidAccessKeyId')],
      [403, s3ErrorBody('InvalidAccessKeyId')],
      [200, 'info'],
      REFUSED,
    );
    const store = open({ env });
    await expect(store.read('missing')).rejects.toMatchObject({
      code: 'HTTP_STATUS',
      status: 403,
      message: expect.stringMatching(/aws-secret\.json were refused with 403 InvalidAccessKeyId$/),
    });
    await store.read('info');
    expect(await store.read('missing', { absentBy403: true })).toBeUndefined();
    expect(requested.map(keyOf)).toEqual([undefined, 'STRANGER', 'STRANGER', undefined, undefined]);
  });
  test('that are missing are searched once, and the error lists the places', async () => {
    answers(GLOBAL, REFUSED, REFUSED);
    const store = open();
    for (const key of ['a', 'b'])
      await expect(store.read(key)).rejects.toMatchObject({
        status: 403,
        message: expect.stringMatching(
          /answered 403: .*; no AWS credentials were found in .*bucket-aws-secret\.json, .*aws-secret\.json, the environment, ~\/\.aws, or a role of this machine; run `aws configure`/,
        ),
      });
  });
  test('of a named profile that are missing are an error before any request', async () => {
    await expect(open({ profile: 'nobody' }).read('k')).rejects.toMatchObject({
      name: 'CredentialsError',
      code: 'NOT_FOUND',
      message: expect.stringContaining('profile "nobody"'),
    });
  });
  test.each([
    ['invalid JSON', '{"AWS_SECRET_ACCESS_KEY": "s3cretKey', 'does not contain a JSON object'],
    [
      'other JSON',
      { AWS_SECRET_ACCESS_KEY: 's3cretKey' },
      'does not contain AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    ],
    ['a list', ['s3cretKey'], 'does not contain a JSON object'],
  ])('in a file with %s are reported without quoting the file', async (_name, content, words) => {
    answers(GLOBAL, REFUSED);
    const error: unknown = await open({
      env: { CLOUD_VOLUME_DIR: secretsFolder({ 'aws-secret.json': content }) },
    })
      .read('k')
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ status: 403, message: expect.stringContaining(words) });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cretKey');
  });
  test('are never sent with "anonymous", and the error says so', async () => {
    answers(GLOBAL, REFUSED);
    await expect(
      open({ credentials: 'anonymous', env: { CLOUD_VOLUME_DIR: everything() } }).read('k'),
    ).rejects.toMatchObject({ status: 403, message: expect.stringContaining("credentials: 'anonymous'") });
  });
  test('are never shown in an error', async () => {
    answers(GLOBAL, [
      403,
      s3ErrorBody(
        'SignatureDoesNotMatch',
        `<AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId><Echo>${KEYS.secretAccessKey}</Echo>`,
      ),
    ]);
    const error: unknown = await open({ credentials: { ...KEYS, sessionToken: 'sessi0n' } })
      .read('k')
      .catch((e: unknown) => e);
    expect(error).toMatchObject({
      status: 403,
      message:
        'https://bucket.s3.amazonaws.com/k answered 403; the credentials from the credentials option were refused with 403 SignatureDoesNotMatch',
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/s3cretKey|sessi0n|Signature=/);
  });
  test('make a 403 an error, not "not found"', async () => {
    answers(GLOBAL, REFUSED);
    await expect(open({ credentials: KEYS }).read('k', { absentBy403: true })).rejects.toMatchObject({
      status: 403,
    });
  });
  test('of Google are refused when an s3:// bucket is opened', () => {
    expect(() => open({ credentials: { type: 'service_account' } })).toThrow(
      expect.objectContaining({ name: 'CredentialsError', code: 'BAD_CREDENTIALS' }),
    );
  });
});

describe('s3:// refusals that are temporary', () => {
  const credentialProcess = (keys: string[]): void => {
    // The credential process returns another key at each run.
    const state = join(EMPTY, `n${keys.join('')}`);
    writeFileSync(state, '0');
    const script = `const fs=require('fs');const n=+fs.readFileSync('${state}');fs.writeFileSync('${state}',String(n+1));console.log(JSON.stringify({Version:1,AccessKeyId:${JSON.stringify(keys)}[n],SecretAccessKey:'s'}))`;
    writeFileSync(`${state}.cjs`, script);
    writeFileSync(join(EMPTY, 'config'), `[profile lab]\ncredential_process = node ${state}.cjs\n`);
  };

  test.each(['ExpiredToken', 'InvalidToken', 'InvalidAccessKeyId'])(
    'renew the credentials once for all refused requests after %s',
    async (code) => {
      credentialProcess([`OLD${code}`, `NEW${code}`]);
      const requested = answers(
        GLOBAL,
        [200, 'x'],
        [400, s3ErrorBody(code)],
        [400, s3ErrorBody(code)],
        [200, 'x'],
        [200, 'y'],
      );
      const store = open({ profile: 'lab' });
      await store.read('k');
      await Promise.all([store.read('k'), store.read('l')]);
      expect(requested.map(keyOf)).toEqual([
        `OLD${code}`,
        `OLD${code}`,
        `OLD${code}`,
        `NEW${code}`,
        `NEW${code}`,
      ]);
    },
  );
  test('do not renew credentials again that were refused when new', async () => {
    credentialProcess(['A', 'B', 'C']);
    const requested = answers(
      GLOBAL,
      [400, s3ErrorBody('ExpiredToken')],
      [400, s3ErrorBody('ExpiredToken')],
      [400, s3ErrorBody('ExpiredToken')],
    );
    const store = open({ profile: 'lab' });
    await expect(store.read('k')).rejects.toMatchObject({ status: 400 });
    await expect(store.read('k')).rejects.toMatchObject({ status: 400 });
    expect(requested.map(keyOf)).toEqual(['A', 'B', 'B']);
  });
  test('correct the clock by the time of the server', async () => {
    stopClock('2026-11-22T20:00:00Z');
    const requested = answers(
      GLOBAL,
      [403, s3ErrorBody('RequestTimeTooSkewed'), { date: 'Sun, 22 Nov 2026 21:30:00 GMT' }],
      [200, 'x'],
    );
    await open({ credentials: KEYS }).read('k');
    expect(requested.map(({ headers }) => headers['x-amz-date'])).toEqual([
      '20261122T200000Z',
      '20261122T213000Z',
    ]);
  });
  test('do not repeat the output of a credential process', async () => {
    writeFileSync(
      join(EMPTY, 'config'),
      '[profile lab]\ncredential_process = /no/such/program --password s3cret\n',
    );
    const error: unknown = await open({ profile: 'lab' })
      .read('k')
      .catch((e: unknown) => e);
    expect(error).toMatchObject({
      name: 'CredentialsError',
      code: 'NOT_FOUND',
      message: expect.stringContaining('profile "lab"'),
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret');
  });
});

describe('s3:// addresses', () => {
  const there = 'https://bucket.s3.eu-west-3.amazonaws.com';

  test.each<[string, Reply]>([
    ['a redirect', [301, s3ErrorBody('PermanentRedirect'), { 'x-amz-bucket-region': 'eu-west-3' }]],
    [
      'a temporary redirect',
      [
        307,
        s3ErrorBody('TemporaryRedirect'),
        { 'x-amz-bucket-region': 'eu-west-3', location: 'https://elsewhere.org/' },
      ],
    ],
    [
      'a complaint about the signature',
      [400, s3ErrorBody('AuthorizationHeaderMalformed', '<Region>eu-west-3</Region>')],
    ],
  ])('use the region from %s, and learn it once', async (_name, reply) => {
    answers(GLOBAL, reply);
    const requested = answers(there, [200, 'x'], [200, 'y']);
    const store = open({ credentials: KEYS });
    await store.read('k');
    await store.read('l');
    expect(requested.map(regionOf)).toEqual(['eu-west-3', 'eu-west-3']);
  });
  test('of a public bucket with dots in its name are found too', async () => {
    answers('https://s3.amazonaws.com', [301, '', { 'x-amz-bucket-region': 'eu-west-3' }]);
    const requested = answers('https://s3.eu-west-3.amazonaws.com', [200, 'x']);
    await open({}, 's3://a.b.c/vol').read('k');
    expect(requested[0].path).toBe('/a.b.c/vol/k');
  });
  test.each(['evil.org/', '..', 'EU-WEST-3', 'eu-west-3.evil.org', 'a'.repeat(70)])(
    'ignore the invalid region %j',
    async (region) => {
      answers(GLOBAL, [301, '', { 'x-amz-bucket-region': region }]);
      await expect(open({ credentials: KEYS }).read('k')).rejects.toMatchObject({ status: 301 });
    },
  );
  test('fail if the region keeps changing', async () => {
    answers(GLOBAL, [301, '', { 'x-amz-bucket-region': 'eu-west-1' }]);
    answers('https://bucket.s3.eu-west-1.amazonaws.com', [301, '', { 'x-amz-bucket-region': 'eu-west-2' }]);
    answers('https://bucket.s3.eu-west-2.amazonaws.com', [301, '', { 'x-amz-bucket-region': 'eu-west-1' }]);
    await expect(open({ credentials: KEYS }).read('k')).rejects.toMatchObject({ status: 301 });
  });

  test.each<[string, Partial<OpenStoreOptions>, string]>([
    [
      'AWS_REGION',
      { env: { AWS_REGION: 'us-west-2', AWS_DEFAULT_REGION: 'us-west-1' } },
      'https://bucket.s3.us-west-2.amazonaws.com/p',
    ],
    [
      'AWS_DEFAULT_REGION',
      { env: { AWS_DEFAULT_REGION: 'us-west-1' } },
      'https://bucket.s3.us-west-1.amazonaws.com/p',
    ],
    [
      'the option',
      { region: 'cn-north-1', env: { AWS_REGION: 'us-west-2' } },
      'https://bucket.s3.cn-north-1.amazonaws.com.cn/p',
    ],
    ['AWS_ENDPOINT_URL', { env: { AWS_ENDPOINT_URL: 'https://minio.lab/' } }, 'https://minio.lab/bucket/p'],
    [
      'AWS_ENDPOINT_URL_S3',
      { env: { AWS_ENDPOINT_URL: 'https://other', AWS_ENDPOINT_URL_S3: 'https://minio.lab/s3' } },
      'https://minio.lab/s3/bucket/p',
    ],
    [
      'the endpoint option',
      { endpoint: 'https://minio.lab:9000', env: { AWS_ENDPOINT_URL_S3: 'https://other' } },
      'https://minio.lab:9000/bucket/p',
    ],
  ])('are chosen by %s', (_name, options, url) => expect(open(options, 's3://bucket/p').url).toBe(url));

  test.each(['minio', 'ftp://minio', 'https://u:passw0rd@minio', 'https://minio/?a=b', ''])(
    'refuse the endpoint %j',
    (endpoint) => {
      expect(() => open({ endpoint })).toThrow(
        expect.objectContaining({ code: 'BAD_PATH', message: expect.not.stringContaining('passw0rd') }),
      );
    },
  );
  test.each([{ credentials: KEYS }, { profile: 'lab' }, { headers: { authorization: 'x' } }])(
    'refuse to send %j over plain http',
    (options) => {
      expect(() => open({ ...options, endpoint: 'http://minio.lab' })).toThrow(
        expect.objectContaining({ code: 'INSECURE_TOKEN' }),
      );
    },
  );
  test('on plain http do not get credentials that could be found', async () => {
    answers('http://minio.lab', REFUSED);
    const env = {
      CLOUD_VOLUME_DIR: secretsFolder({
        'aws-secret.json': { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 's' },
      }),
    };
    await expect(open({ endpoint: 'http://minio.lab', env }).read('k')).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('http://minio.lab/bucket/ is neither'),
    });
  });
  test("use the region in CloudVolume's file to sign", async () => {
    const env = {
      CLOUD_VOLUME_DIR: secretsFolder({
        'aws-secret.json': {
          AWS_ACCESS_KEY_ID: 'A',
          AWS_SECRET_ACCESS_KEY: 's',
          AWS_DEFAULT_REGION: 'us-west-2',
        },
      }),
    };
    answers('https://minio.lab', REFUSED);
    const requested = answers('https://minio.lab', [200, 'x']);
    await open({ endpoint: 'https://minio.lab', env }).read('k');
    expect(regionOf(requested[0])).toBe('us-west-2');
  });
});
