import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import nock from 'nock';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import type { HttpClient } from '../../lib/http/http-request.ts';
import { openStore } from '../../lib/storage/open-store.ts';
import type { OpenStoreOptions } from '../../lib/storage/open-options.ts';
import { newMeter } from '../../lib/storage/store.ts';
import { secretsFolder } from '../support/clouds.ts';
import { serve } from '../support/http-server.ts';

const GCS = 'https://storage.googleapis.com',
  TOKENS = 'https://oauth2.googleapis.com';
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const ACCOUNT = {
  type: 'service_account',
  project_id: 'own-project',
  private_key_id: 'kid',
  private_key: privateKey,
  client_email: 'reader@own-project.iam.gserviceaccount.com',
  token_uri: 'https://evil.org/token',
};
const USER = {
  type: 'authorized_user',
  client_id: 'id',
  client_secret: 'cl1ent-secret',
  refresh_token: 'refr3sh-token',
  quota_project_id: 'quota-project',
};
const EMPTY = secretsFolder();
const NONE = { CLOUD_VOLUME_DIR: EMPTY, CLOUDSDK_CONFIG: EMPTY, METADATA_SERVER_DETECTION: 'none' };
const REFUSED = [401, 'Anonymous caller does not have storage.objects.get access'] as const;

let http: HttpClient;
beforeAll(() => {
  nock.disableNetConnect();
  nock.enableNetConnect('127.0.0.1');
});
beforeEach(() => void (http = createHttpClient({ retries: 0 })));
afterEach(() => {
  http.close();
  const pending = nock.pendingMocks();
  nock.cleanAll();
  expect(pending).toEqual([]);
});
afterAll(() => nock.restore());

const open = (options: Partial<OpenStoreOptions> = {}) =>
  openStore('gs://bucket/vol', { http, env: NONE, ...options });

/** Mocks the replies of the bucket, in order. Returns the headers of the requests. */
function bucket(...replies: (readonly [status: number, body?: string])[]) {
  const requested: Record<string, string>[] = [];
  for (const [status, body = ''] of replies)
    nock(GCS)
      .get(/^\/bucket\/vol\//)
      .reply(function () {
        requested.push({ ...this.req.headers });
        return [status, body];
      });
  return requested;
}
const bearers = (requested: Record<string, string>[]): (string | undefined)[] =>
  requested.map(({ authorization }) => authorization);

/** Mocks Google's token endpoint with these tokens, in order. Returns the forms that were posted. */
function tokens(...given: string[]) {
  const forms: URLSearchParams[] = [];
  for (const token of given)
    nock(TOKENS)
      .post('/token')
      .reply(function (_path, body) {
        forms.push(new URLSearchParams(body as string));
        expect(this.req.headers['content-type']).toContain('application/x-www-form-urlencoded');
        return [
          200,
          { access_token: token, expires_in: 3599, token_type: 'Bearer' },
          { 'content-type': 'application/json' },
        ];
      });
  return forms;
}
const noTokens = (status: number, body: object): void => void nock(TOKENS).post('/token').reply(status, body);

describe('gs:// credentials', () => {
  test('of a service account sign for a read-only token, which is used until it is refused', async () => {
    const forms = tokens('T1');
    const requested = bucket([200, 'x'], [200, 'y']);
    const store = open({ credentials: ACCOUNT });
    const meter = newMeter();
    await Promise.all([store.read('k', { meter }), store.read('l', { meter })]);
    expect(bearers(requested)).toEqual(['Bearer T1', 'Bearer T1']);
    expect([meter.requests, meter.bytes]).toEqual([2, 2]); // requests for tokens do not count

    const [head, claims, signature] = forms[0].get('assertion')!.split('.');
    expect(
      createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url'),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: ACCOUNT.client_email,
      scope: 'https://www.googleapis.com/auth/devstorage.read_only',
      aud: `${TOKENS}/token`,
    });
  });
  test('of a user are refreshed, and the quota project is not billed', async () => {
    const forms = tokens('T1');
    const requested = bucket([200, 'x']);
    await open({ credentials: USER }).read('k');
    expect(Object.fromEntries(forms[0])).toEqual({
      grant_type: 'refresh_token',
      refresh_token: USER.refresh_token,
      client_id: 'id',
      client_secret: USER.client_secret,
    });
    expect([bearers(requested), requested[0]['x-goog-user-project']]).toEqual([['Bearer T1'], undefined]);
  });
  test('are renewed once for all requests after a token was refused', async () => {
    tokens('T1', 'T2');
    const requested = bucket([200, 'x'], [401], [401], [200, 'y'], [200, 'z']);
    const store = open({ credentials: ACCOUNT });
    await store.read('k');
    await Promise.all([store.read('k'), store.read('l')]);
    expect(bearers(requested)).toEqual(['Bearer T1', 'Bearer T1', 'Bearer T1', 'Bearer T2', 'Bearer T2']);
  });
  test('that are refused with a new token are an error', async () => {
    tokens('T1', 'T2');
    bucket([401], [401], [401]);
    const store = open({ credentials: ACCOUNT });
    for (let k = 0; k < 2; k++)
      await expect(store.read('k')).rejects.toMatchObject({
        status: 401,
        message: expect.stringMatching(
          /answered 401; the credentials from the credentials option were refused with 401$/,
        ),
      });
  });

  const account = (project: string) => ({ ...ACCOUNT, client_email: `${project}@x` });
  const adc = (): string => {
    const folder = secretsFolder();
    writeFileSync(join(folder, 'application_default_credentials.json'), JSON.stringify(account('gcloud')));
    writeFileSync(join(folder, 'named.json'), JSON.stringify(account('named')));
    return folder;
  };
  const files = {
    'bucket-google-secret.json': account('of-bucket'),
    'google-secret.json': account('of-all'),
  };
  test.each<[string, string, NodeJS.ProcessEnv]>([
    [
      "the bucket's own file",
      'of-bucket',
      { CLOUD_VOLUME_DIR: secretsFolder(files), GOOGLE_APPLICATION_CREDENTIALS: join(adc(), 'named.json') },
    ],
    [
      'the file for all buckets',
      'of-all',
      {
        CLOUD_VOLUME_DIR: secretsFolder({
          'google-secret.json': files['google-secret.json'],
          'other-google-secret.json': account('other'),
        }),
      },
    ],
    [
      'GOOGLE_APPLICATION_CREDENTIALS',
      'named',
      { GOOGLE_APPLICATION_CREDENTIALS: join(adc(), 'named.json'), CLOUDSDK_CONFIG: adc() },
    ],
    ["gcloud's file", 'gcloud', { CLOUDSDK_CONFIG: adc() }],
  ])('come from %s, once an anonymous request was refused', async (_name, who, env) => {
    const forms = tokens('T1');
    const requested = bucket(REFUSED, [200, 'x'], [404]);
    const store = open({ env: { ...NONE, ...env } });
    await store.read('k');
    expect(await store.read('missing')).toBeUndefined();
    expect(bearers(requested)).toEqual([undefined, 'Bearer T1', 'Bearer T1']);
    expect(
      JSON.parse(Buffer.from(forms[0].get('assertion')!.split('.')[1], 'base64url').toString()),
    ).toMatchObject({ iss: `${who}@x` });
  });
  test.each([
    ['if it answers', 'ping-only', ['/computeMetadata/v1/instance']],
    ['if the environment assumes it', 'assume-present', []],
  ])('come from the metadata server %s', async (_name, detection, pings) => {
    const requested: string[] = [];
    const server = await serve((request, response) => {
      requested.push(request.url!);
      response
        .writeHead(200, { 'content-type': 'application/json', 'metadata-flavor': 'Google' })
        .end(JSON.stringify({ access_token: 'T-machine', expires_in: 3599 }));
    });
    process.env.GCE_METADATA_HOST = server.origin; // Google's library reads it
    try {
      const objects = bucket(REFUSED, [200, 'x']);
      await open({
        env: { ...NONE, METADATA_SERVER_DETECTION: detection, GCE_METADATA_HOST: server.origin },
      }).read('k');
      expect(bearers(objects)).toEqual([undefined, 'Bearer T-machine']);
      expect(requested).toEqual([
        ...pings,
        expect.stringMatching(/^\/computeMetadata\/v1\/instance\/service-accounts\/default\/token\?scopes=/),
      ]);
    } finally {
      delete process.env.GCE_METADATA_HOST;
      await server.close();
    }
  });
  test.each<[string, Record<string, string>]>([
    ['without its header', {}],
    ['of another vendor', { 'metadata-flavor': 'Other' }],
  ])('do not come from a metadata server %s', async (_name, headers) => {
    const server = await serve((_request, response) => void response.writeHead(200, headers).end());
    try {
      bucket(REFUSED);
      const env = {
        ...NONE,
        METADATA_SERVER_DETECTION: undefined,
        GCE_METADATA_HOST: server.origin.slice('http://'.length),
      };
      await expect(open({ env }).read('k')).rejects.toMatchObject({
        status: 401,
        message: expect.stringContaining('no Google credentials were found'),
      });
      expect(server.requests).toMatchObject([
        { path: '/computeMetadata/v1/instance', headers: { 'metadata-flavor': 'Google' } },
      ]);
    } finally {
      await server.close();
    }
  });

  test('are not searched for a public bucket', async () => {
    bucket([200, 'x'], [403, 'no list permission']);
    const store = open({
      env: { ...NONE, CLOUD_VOLUME_DIR: secretsFolder({ 'google-secret.json': 'broken' }) },
    });
    await store.read('info');
    expect(await store.read('k', { absentBy403: true })).toBeUndefined();
  });
  test('that are missing are reported with the places of the search and advice', async () => {
    bucket(REFUSED);
    await expect(open().read('k')).rejects.toMatchObject({
      status: 401,
      message: expect.stringMatching(
        /answered 401: Anonymous caller .*; no Google credentials were found in .*bucket-google-secret\.json, .*google-secret\.json, .*application_default_credentials\.json, GOOGLE_APPLICATION_CREDENTIALS or the metadata server; run `gcloud auth application-default login`/,
      ),
    });
  });
  test.each<[string, unknown, RegExp]>([
    ['invalid JSON', '{"private_key": "s3cretKey', /google-secret\.json does not contain a JSON object/],
    [
      'no key',
      { type: 'service_account', client_email: 'a@b' },
      /google-secret\.json does not contain Google credentials: .*private_key/,
    ],
    [
      'an invalid key',
      { ...ACCOUNT, private_key: 's3cretKey' },
      /the credentials from .*google-secret\.json cannot be used: /,
    ],
  ])('in a file with %s are reported without quoting the file', async (_name, content, words) => {
    bucket(REFUSED);
    const error: unknown = await open({
      env: { ...NONE, CLOUD_VOLUME_DIR: secretsFolder({ 'google-secret.json': content }) },
    })
      .read('k')
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ status: 401, message: expect.stringMatching(words) });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cretKey');
  });
  test('in a file that does not exist are reported', async () => {
    bucket(REFUSED);
    await expect(
      open({ env: { ...NONE, GOOGLE_APPLICATION_CREDENTIALS: '/no/such.json' } }).read('k'),
    ).rejects.toMatchObject({
      message: expect.stringContaining('names /no/such.json, which does not exist'),
    });
  });
  test('that have expired are reported without what was sent', async () => {
    noTokens(400, {
      error: 'invalid_grant',
      error_description: `Token ${USER.refresh_token} of ${USER.client_secret} has been expired or revoked.`,
    });
    const error: unknown = await open({ credentials: USER })
      .read('k')
      .catch((e: unknown) => e);
    expect(error).toMatchObject({
      name: 'CredentialsError',
      code: 'UNUSABLE',
      message: expect.stringMatching(
        /cannot be used: invalid_grant.*run `gcloud auth application-default login`/,
      ),
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/refr3sh|cl1ent-secret/);
  });
  test('are not repeated if the token endpoint repeats the assertion', async () => {
    nock(TOKENS)
      .post('/token')
      .reply(400, (_path, body) => ({
        error: 'invalid_grant',
        error_description: new URLSearchParams(body as string).get('assertion'),
      }));
    const error: unknown = await open({ credentials: ACCOUNT })
      .read('k')
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'UNUSABLE' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/eyJ|PRIVATE KEY/);
  });
  test('are not sent after a redirect of the token endpoint', async () => {
    nock(TOKENS).post('/token').reply(307, '', { location: 'https://evil.org/token' });
    await expect(open({ credentials: ACCOUNT }).read('k')).rejects.toMatchObject({
      name: 'CredentialsError',
      code: 'UNUSABLE',
    });
  });
  test('do not follow a redirect of the bucket', async () => {
    tokens('T1');
    nock(GCS).get('/bucket/vol/k').reply(302, '', { location: 'https://evil.org/k' });
    let seen: Record<string, string> = {};
    nock('https://evil.org')
      .get('/k')
      .reply(function () {
        seen = { ...this.req.headers };
        return [302, '', { location: `${GCS}/bucket/vol/back` }];
      });
    const back = bucket([200, 'x']);
    await open({ credentials: ACCOUNT }).read('k');
    expect([seen.authorization, ...bearers(back)]).toEqual([undefined, undefined]);
  });
  test('of AWS are refused when a gs:// bucket is opened', () => {
    expect(() => open({ credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })).toThrow(
      expect.objectContaining({ name: 'CredentialsError', code: 'BAD_CREDENTIALS' }),
    );
  });
  test('are never sent with "anonymous", which makes one request', async () => {
    bucket(REFUSED);
    await expect(
      open({ credentials: 'anonymous', env: { ...NONE, CLOUD_VOLUME_DIR: secretsFolder(files) } }).read('k'),
    ).rejects.toMatchObject({ status: 401, message: expect.stringContaining("credentials: 'anonymous'") });
  });
  test('are not searched if a token is given', async () => {
    const requested = bucket([403, 'echo of Bearer mine']);
    const error: unknown = await open({
      headers: { authorization: 'Bearer mine' },
      env: { ...NONE, CLOUD_VOLUME_DIR: secretsFolder(files) },
    })
      .read('k')
      .catch((e: unknown) => e);
    expect([bearers(requested), (error as Error).message]).toEqual([
      ['Bearer mine'],
      `${GCS}/bucket/vol/k answered 403; the server does not accept the given token or headers`,
    ]);
  });
  test('are not waited for after an abort', async () => {
    nock(TOKENS).post('/token').delayConnection(20_000).reply(200, {});
    const reason = new Error('enough'),
      abort = new AbortController();
    const read = open({ credentials: ACCOUNT }).read('k', { signal: abort.signal });
    setImmediate(() => abort.abort(reason));
    await expect(read).rejects.toBe(reason);
    nock.abortPendingRequests();
  });
});

describe('gs:// with requester pays', () => {
  test.each<[string, Partial<OpenStoreOptions>, string]>([
    ['the given project', { requesterPays: 'my-project', credentials: ACCOUNT }, 'my-project'],
    ["the credentials' own project", { requesterPays: true, credentials: ACCOUNT }, 'own-project'],
    ['the quota project', { requesterPays: true, credentials: USER }, 'quota-project'],
    [
      'the project of the environment',
      {
        requesterPays: true,
        credentials: { ...USER, quota_project_id: undefined },
        env: { ...NONE, GOOGLE_CLOUD_PROJECT: 'env-project' },
      },
      'env-project',
    ],
    [
      'the project of the credentials that were found',
      {
        requesterPays: true,
        env: { ...NONE, CLOUD_VOLUME_DIR: secretsFolder({ 'google-secret.json': ACCOUNT }) },
      },
      'own-project',
    ],
  ])('bills %s, from the first request', async (_name, options, project) => {
    tokens('T1');
    const requested = bucket([200, 'x']);
    await open(options).read('k');
    expect([requested[0].authorization, requested[0]['x-goog-user-project']]).toEqual(['Bearer T1', project]);
  });
  test('fails if no project is known', async () => {
    await expect(
      open({ requesterPays: true, credentials: { ...USER, quota_project_id: undefined } }).read('k'),
    ).rejects.toMatchObject({
      name: 'CredentialsError',
      message: expect.stringContaining("requesterPays: 'PROJECT'"),
    });
    expect(() => open({ requesterPays: true, headers: { authorization: 'Bearer t' } })).toThrow(
      expect.objectContaining({ name: 'CredentialsError' }),
    );
  });
});

describe('gs:// addresses', () => {
  test.each(['emulator:4443', 'http://emulator:4443', 'http://emulator:4443/'])(
    'use STORAGE_EMULATOR_HOST %s without credentials',
    async (host) => {
      nock('http://emulator:4443').get('/bucket/vol/k').reply(403);
      const store = open({ env: { ...NONE, STORAGE_EMULATOR_HOST: host } });
      expect(store.url).toBe('http://emulator:4443/bucket/vol');
      await expect(store.read('k')).rejects.toMatchObject({ status: 403 });
    },
  );
  test('prefer the option endpoint, which gets credentials over TLS', async () => {
    tokens('T1');
    nock('https://gcs.lab', { reqheaders: { authorization: 'Bearer T1' } })
      .get('/bucket/vol/k')
      .reply(200, 'x');
    await open({
      endpoint: 'https://gcs.lab',
      credentials: ACCOUNT,
      env: { STORAGE_EMULATOR_HOST: 'other' },
    }).read('k');
    expect(() => open({ endpoint: 'http://gcs.lab', credentials: ACCOUNT })).toThrow(
      expect.objectContaining({ code: 'INSECURE_TOKEN' }),
    );
  });
});
