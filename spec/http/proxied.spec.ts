/**
 * Requests through a proxy on loopback. Loopback itself is never proxied, so the servers have names that only
 * the proxy knows.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import type { HttpClient } from '../../lib/http/http-request.ts';
import { openPrecomputed } from '../../lib/index.ts';
import { openStore } from '../../lib/storage/open-store.ts';
import { runCli } from '../cli/run-cli.ts';
import { secretsFolder } from '../support/clouds.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';
import { program } from '../support/program.ts';
import { serveProxy, type ProxyServer } from '../support/proxy-server.ts';
import { tinyFiles, type TinyVolume } from '../../testing/tiny-volume.ts';

const VOLUME: TinyVolume = {
  size: [4, 4, 4],
  chunkSize: [4, 4, 4],
  voxelOffset: [0, 0, 0],
  labelAt: () => 2n ** 60n + 9n,
};
const FILES = tinyFiles(VOLUME),
  NAMES = [
    'http_proxy',
    'https_proxy',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'all_proxy',
    'ALL_PROXY',
    'no_proxy',
    'NO_PROXY',
  ];
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/http/${name}`, import.meta.url));

let server: LoopbackServer, proxy: ProxyServer, http: HttpClient;
const env = { ...process.env };
beforeAll(async () => {
  server = await serve((request, response) => {
    const found = FILES[request.url!.replace(/^\/v\//, '')];
    response
      .writeHead(request.method === 'POST' ? 201 : found ? 200 : 404)
      .end(request.method === 'POST' ? 'posted' : found);
  });
  proxy = await serveProxy(server);
});
beforeEach(() => {
  for (const name of NAMES) delete process.env[name];
  proxy.requests.length = proxy.authorizations.length = server.requests.length = 0;
  proxy.refusal = 0;
  http = createHttpClient({ retries: 0, connectTimeoutMs: 500 });
});
afterEach(() => {
  http.close();
  process.env = { ...env };
});
afterAll(() => Promise.all([proxy.close(), server.close()]));

describe('http:// through a proxy', () => {
  beforeEach(() => void (process.env.http_proxy = proxy.url));

  test('is sent to the proxy, by GET and by POST', async () => {
    await using volume = await openPrecomputed('http://data.example.org/v', { retries: 0 });
    expect((await volume.scatteredPoints([[1, 2, 3]])).values[0]).toBe(2n ** 60n + 9n);
    const { status, serverAddress } = await http.request({
      url: 'http://data.example.org/v/x',
      method: 'POST',
      body: Buffer.from('body'),
    });
    // The address of the proxy says nothing about the server.
    expect([status, serverAddress]).toEqual([201, undefined]);
    expect(proxy.requests).toEqual([
      'GET http://data.example.org/v/info',
      'GET http://data.example.org/v/s0/0-4_0-4_0-4',
      'POST http://data.example.org/v/x',
    ]);
    expect(server.requests.map(({ body }) => String(body))).toEqual(['', '', 'body']);
  });
  test('is refused with a token', async () => {
    for (const headers of [
      { authorization: 'Bearer t-0123456789' },
      { 'x-api-key': 'k-0123456789' },
    ] as Record<string, string>[])
      await expect(http.request({ url: 'http://data.example.org/v', headers })).rejects.toMatchObject({
        name: 'PathError',
        code: 'INSECURE_TOKEN',
        message: expect.stringContaining(`the proxy ${proxy.url} (http_proxy)`),
      });
    await expect(
      http.request({
        url: 'http://data.example.org/v',
        authorize: async () => ({ authorization: 'Bearer t-0123456789' }),
      }),
    ).rejects.toMatchObject({ code: 'INSECURE_TOKEN' });
    await expect(http.request({ url: 'http://u:p@data.example.org/v' })).rejects.toMatchObject({
      code: 'INSECURE_TOKEN',
    });
    expect(proxy.requests).toEqual([]);
  });
  test('does not take the 407 of the proxy for the reply of the server', async () => {
    proxy.refusal = 407;
    await expect(http.request({ url: 'http://data.example.org/v' })).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringContaining('the proxy answered 407'),
    });
  });
  test('is not used for loopback, and for hosts in no_proxy', async () => {
    expect(
      (
        await http.request({
          url: `${server.origin}/v/info`,
          headers: { authorization: 'Bearer t-0123456789' },
        })
      ).status,
    ).toBe(200);
    process.env.no_proxy = 'example.org';
    await expect(http.request({ url: 'http://nothing.example.org/v' })).rejects.toMatchObject({
      code: 'CONNECTION',
    });
    expect(proxy.requests).toEqual([]);
  });
  test('in upper case is not used', async () => {
    delete process.env.http_proxy;
    process.env.HTTP_PROXY = proxy.url;
    await expect(http.request({ url: 'http://nothing.example.org/v' })).rejects.toMatchObject({
      code: 'CONNECTION',
    });
    expect(proxy.requests).toEqual([]);
  });
  test('does not allow an address that is private and that a server named', async () => {
    for (const url of ['http://10.0.0.1/', 'http://[fd00::1]/', 'http://metadata.google.internal/'])
      await expect(http.request({ url, allowAddress: 'public' })).rejects.toMatchObject({
        code: 'FORBIDDEN_ADDRESS',
      });
    expect(proxy.requests).toEqual([]);
  });
});

describe('https:// through a proxy', () => {
  beforeEach(() => void (process.env.https_proxy = proxy.url));

  test('is read through a tunnel, with the certificate of the server', async () => {
    const tls = createServer(
      { key: readFileSync(fixture('example.key')), cert: readFileSync(fixture('example.crt')) },
      (request, response) => {
        const found = FILES[request.url!.replace(/^\/v\//, '')];
        response
          .writeHead(request.method === 'POST' ? 201 : found ? 200 : 404)
          .end(request.method === 'POST' ? request.headers.authorization : found);
      },
    );
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    const tunnels = await serveProxy({ port: (tls.address() as AddressInfo).port });
    try {
      const run = promisify(execFile),
        script = program('spec/http/proxy-run.ts');
      const { stdout } = await run(process.execPath, [script, 'https://data.example.org/v'], {
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          NODE_EXTRA_CA_CERTS: fixture('example.crt'),
          HTTPS_PROXY: tunnels.url.replace('//', '//user:proxy-password-0@'),
        },
      });
      expect(JSON.parse(stdout)).toEqual({
        value: String(2n ** 60n + 9n),
        requests: 1,
        posted: [201, 'Bearer over-tls-it-may-go', null],
      });
      expect(new Set(tunnels.requests)).toEqual(new Set(['CONNECT data.example.org:443']));
      expect(new Set(tunnels.authorizations)).toEqual(
        new Set([`Basic ${Buffer.from('user:proxy-password-0').toString('base64')}`]),
      );
    } finally {
      await tunnels.close();
      tls.closeAllConnections();
      tls.close();
    }
  }, 60_000);

  test.each([404, 403, 407, 502])(
    'that is refused with %i is an error, not the reply of the server',
    async (status) => {
      proxy.refusal = status;
      const store = openStore('gs://bucket/v', { http, credentials: 'anonymous' });
      await expect(store.read('chunk', { absentBy403: true })).rejects.toMatchObject({
        name: 'RequestError',
        code: 'CONNECTION',
        broken: 'unreachable',
        message: expect.stringMatching(
          new RegExp(`the proxy answered ${status}, through the proxy ${proxy.url} \\(https_proxy\\)`),
        ),
      });
      await expect(
        http.request({ url: 'https://h.example.org/x', method: 'POST', body: Buffer.from('x') }),
      ).rejects.toMatchObject({ code: 'CONNECTION' });
      expect(proxy.requests).toEqual(['CONNECT storage.googleapis.com:443', 'CONNECT h.example.org:443']);
    },
  );
  test('that does not answer times out', async () => {
    proxy.refusal = -1;
    await expect(http.request({ url: 'https://h.example.org/x' })).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringContaining('ETIMEDOUT'),
    });
  });
  test('that is not running is an error without its password', async () => {
    const closed = await serveProxy(server);
    await closed.close();
    process.env.https_proxy = closed.url.replace('//', '//user:proxy-password-1@');
    const error = await http.request({ url: 'https://h.example.org/x' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'CONNECTION',
      message: expect.stringContaining(`(ECONNREFUSED), through the proxy ${closed.url} (https_proxy)`),
    });
    expect(JSON.stringify(error) + (error as Error).stack).not.toContain('proxy-passw');
  });
  test('with an unsupported scheme is an error', async () => {
    process.env.https_proxy = 'socks5://127.0.0.1:1080';
    await expect(http.request({ url: 'https://h.example.org/x' })).rejects.toMatchObject({
      name: 'PathError',
      code: 'UNSUPPORTED_SCHEME',
    });
  });
  test('is shown by doctor', async () => {
    proxy.refusal = 502;
    process.env.https_proxy = proxy.url.replace('//', '//user:proxy-password-2@');
    const { stdout } = await runCli(['doctor', 'gs://bucket/v', '--anonymous']);
    expect(stdout).toContain(
      `https://storage.googleapis.com is reached through ${proxy.url} (https_proxy)\n`,
    );
    expect(stdout).not.toContain('proxy-passw');
    process.env.no_proxy = '*';
    process.env.HTTP_PROXY = 'http://127.0.0.1:1';
    expect((await runCli(['doctor', `${server.origin}/v`])).stdout).toContain(
      `${server.origin} is reached without a proxy\n`,
    );
    delete process.env.no_proxy;
    expect((await runCli(['doctor', 'http://nothing.example.org/v'])).stdout).toMatch(
      /warn +proxy +http:\/\/nothing.example.org is reached without a proxy: HTTP_PROXY is ignored, only http_proxy is read/,
    );
  });
});

describe('the libraries that make credentials', () => {
  const search = async (path: string): Promise<void> =>
    void (await openStore(path, { http, requesterPays: path.startsWith('s3') })
      .read('info')
      .catch(() => undefined));
  beforeEach(() => {
    proxy.refusal = 502;
    for (const name of Object.keys(process.env))
      if (/^(AWS_|GOOGLE_|GCE_|METADATA_)/.test(name)) delete process.env[name];
    process.env.CLOUD_VOLUME_DIR = secretsFolder();
    Object.assign(process.env, {
      AWS_SHARED_CREDENTIALS_FILE: join(process.env.CLOUD_VOLUME_DIR, 'none'),
      AWS_CONFIG_FILE: join(process.env.CLOUD_VOLUME_DIR, 'none'),
      CLOUDSDK_CONFIG: process.env.CLOUD_VOLUME_DIR,
    });
  });

  test('of Amazon use the proxy', async () => {
    const file = join(process.env.CLOUD_VOLUME_DIR!, 'web-identity');
    writeFileSync(file, 'a-web-identity-token');
    Object.assign(process.env, {
      https_proxy: proxy.url,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/r',
      AWS_REGION: 'us-west-2',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
    });
    await search('s3://bucket/v');
    expect(new Set(proxy.requests)).toEqual(new Set(['CONNECT sts.us-west-2.amazonaws.com:443']));
  });

  test('of Google use the proxy', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const key = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey;
    process.env.https_proxy = proxy.url;
    const credentials = {
      type: 'service_account',
      client_email: 'who@project.iam.gserviceaccount.com',
      private_key: key,
      token_uri: 'https://oauth2.googleapis.com/token',
    };
    await openStore('gs://bucket/v', { http, credentials })
      .read('info')
      .catch(() => undefined);
    expect(new Set(proxy.requests)).toEqual(new Set(['CONNECT oauth2.googleapis.com:443']));
  });

  test('never request the metadata server through the proxy', async () => {
    const metadata = await serve((request, response) => {
      response.setHeader('metadata-flavor', 'Google');
      response.setHeader('content-type', 'application/json');
      response.end(
        request.url!.includes('token') ? '{"access_token":"a-machine-token-0","expires_in":3600}' : '{}',
      );
    });
    for (const name of NAMES.filter((one) => !/no_proxy/i.test(one))) process.env[name] = proxy.url;
    // The variable replaces 169.254.169.254, which a test cannot serve.
    Object.assign(process.env, { GCE_METADATA_HOST: `127.0.0.1:${metadata.port}` });
    await openStore('gs://bucket/v', { http, requesterPays: 'project' })
      .read('info')
      .catch(() => undefined);
    expect(metadata.requests.map(({ path }) => path.split('?')[0])).toEqual(
      expect.arrayContaining([
        '/computeMetadata/v1/instance',
        '/computeMetadata/v1/instance/service-accounts/default/token',
      ]),
    );
    // only the request to the bucket
    expect(new Set(proxy.requests)).toEqual(new Set(['CONNECT storage.googleapis.com:443']));
    await metadata.close();
  });
});
