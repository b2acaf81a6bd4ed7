/** TLS and CORS of a running service, and what it says about proxies. */
import { copyFile, mkdtemp, chmod, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, afterAll, describe, expect, test } from '@jest/globals';
import { needsOf } from '../../../lib/serve/access/needs.ts';
import { TlsFiles } from '../../../lib/serve/access/tls-files.ts';
import { sendRaw, startAccessWorld, type AccessWorld } from './access-world.ts';

const fixture = (name: string): string => join(import.meta.dirname, '../../fixtures/http', name);
const TOKEN = 'full-0123456789abcdef';
let folder: string, cert: string, key: string, tokenFile: string;
let world: AccessWorld | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'));
  [cert, key, tokenFile] = ['cert.pem', 'key.pem', 'tokens.txt'].map((name) => join(folder, name));
  await copyFile(fixture('example.crt'), cert);
  await copyFile(fixture('example.key'), key);
  await chmod(key, 0o600);
  await writeFile(tokenFile, TOKEN, { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  await world?.close();
  world = undefined;
});

describe('TLS', () => {
  test('is spoken with a certificate, and then other machines may send tokens', async () => {
    world = await startAccessWorld(() => ({ host: '0.0.0.0', access: { cert, key, tokenFile } }));
    expect(world.service.url).toMatch(/^https:/);
    const { port } = new URL(world.service.url);
    const ask = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) =>
        request(
          {
            host: '127.0.0.1',
            port,
            path: '/v1/watershed/info',
            headers: { host: 'example.org', ...headers },
            servername: 'example.org',
            ca: readFileSync(cert),
          },
          (answer) => {
            answer.resume();
            resolve(answer.statusCode);
          },
        )
          .on('error', reject)
          .end(),
      );
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: `Bearer ${TOKEN}` })).toBe(200);
    expect(await ask({ authorization: `Bearer ${TOKEN}`, origin: 'https://example.org' })).toBe(200);
    expect(await ask({ authorization: `Bearer ${TOKEN}`, origin: 'http://example.org' })).toBe(403);
    expect(await ask({ authorization: `Bearer ${TOKEN}`, origin: 'https://evil.example.org' })).toBe(403);
  });

  test.each([
    [
      'a certificate that is missing',
      () => ({ cert: join(folder, 'none'), key }),
      /--cert .* cannot be read \(ENOENT\)/,
    ],
    ['a key that is none', () => ({ cert, key: cert }), /are not a certificate and its key/],
  ])('does not begin with %s', async (_what, files, message) => {
    await chmod(cert, 0o600);
    const { cert: c, key: k } = files();
    await expect(new TlsFiles(c, k).read()).rejects.toThrow(message);
    await expect(new TlsFiles(c, k).read()).rejects.toMatchObject({ code: 'UNSAFE_SETTINGS' });
  });

  test('does not begin with a key that everybody can read', async () => {
    await chmod(key, 0o644);
    await expect(new TlsFiles(cert, key).read()).rejects.toThrow(
      /everybody on this machine.*\(mode 644\): chmod 600 it/,
    );
    await chmod(key, 0o600);
  });

  test('takes up renewed files, and keeps the old ones while the new ones cannot be used', async () => {
    const files = new TlsFiles(cert, key),
      taken: object[] = [],
      warnings: string[] = [];
    const server = { setSecureContext: (pair: object) => void taken.push(pair) },
      refresh = (): Promise<void> => files.refresh(server, (message) => void warnings.push(message));
    const pair = await files.read();
    await refresh();
    expect(taken).toEqual([]);
    await writeFile(cert, 'half of it');
    await refresh();
    expect([taken, warnings]).toEqual([[], [expect.stringMatching(/that was read before stays in use$/)]]);
    await copyFile(fixture('example.crt'), cert);
    await refresh();
    expect(taken).toEqual([pair]);
  });
});

describe('CORS', () => {
  const ORIGIN = 'https://viewer.example.org';
  const head = (method: string, origin: string, more = ''): string =>
    `${method} /v1/watershed/info HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: ${origin}\r\n${more}\r\n`;
  const PREFLIGHT =
    'Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n';

  test('is for the origins that were named', async () => {
    world = await startAccessWorld(() => ({ access: { tokenFile, corsOrigins: [ORIGIN] } }));
    const { url } = world.service;
    const preflight = await sendRaw(url, head('OPTIONS', ORIGIN, PREFLIGHT));
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, ORIGIN]);
    expect(preflight.headers['access-control-allow-headers']).toContain('authorization');
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    const answer = await sendRaw(url, head('GET', ORIGIN, `Authorization: Bearer ${TOKEN}\r\n`));
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, ORIGIN]);
    const refused = await sendRaw(url, head('GET', ORIGIN));
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
    for (const [method, more] of [
      ['OPTIONS', PREFLIGHT],
      ['GET', ''],
    ]) {
      const other = await sendRaw(url, head(method, 'https://evil.example.org', more));
      expect([other.status, other.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    }
  });

  test('is off unless an origin is named', async () => {
    world = await startAccessWorld(() => ({}));
    const answer = await sendRaw(world.service.url, head('OPTIONS', ORIGIN, PREFLIGHT));
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    const own = await sendRaw(world.service.url, head('GET', 'http://127.0.0.1:PORT'));
    expect([own.status, own.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  });
});

describe('a proxy', () => {
  test('in front of a service for this machine is refused', async () => {
    world = await startAccessWorld(() => ({}));
    const ask = (header: string): Promise<{ status: number; body: string }> =>
      sendRaw(world!.service.url, `GET /v1 HTTP/1.1\r\nHost: localhost:PORT\r\n${header}\r\n`);
    expect((await ask('')).status).toBe(200);
    for (const header of [
      'X-Forwarded-For: 192.0.2.1',
      'Forwarded: for=192.0.2.1',
      'Via: 1.1 p',
      'X-Real-IP: 192.0.2.1',
    ]) {
      const { status, body } = await ask(`${header}\r\n`);
      expect([status, body]).toEqual([403, expect.stringContaining('came through a proxy')]);
    }
  });

  test('that terminates TLS says so, and a token that reached it without TLS is refused', async () => {
    world = await startAccessWorld(() => ({
      access: { tokenFile, tlsByProxy: true, allowHosts: ['points.example.org'] },
    }));
    const ask = (more: string): Promise<{ status: number; body: string }> =>
      sendRaw(
        world!.service.url,
        `GET /v1/watershed/info HTTP/1.1\r\nHost: points.example.org\r\nAuthorization: Bearer ${TOKEN}\r\n${more}\r\n`,
      );
    expect((await ask('X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n')).status).toBe(200);
    const plain = await ask('X-Forwarded-Proto: http\r\n');
    expect([plain.status, plain.body]).toEqual([403, expect.stringContaining('UNENCRYPTED_TOKEN')]);
    expect((await ask('Origin: https://points.example.org\r\n')).status).toBe(200);
    expect((await ask('Origin: http://points.example.org\r\n')).status).toBe(403);
  });
});

describe('what a route needs', () => {
  test.each([
    [{ url: '/v1/:name/points', method: 'POST' }, 'voxels'],
    [{ url: '/v1/:name/roots', method: 'POST' }, 'roots'],
    [{ url: '/v1/:name/latest', method: ['POST'] }, 'roots'],
    [{ url: '/query/dataset/:dataset/s/:scale/values', method: 'POST' }, 'voxels'],
    [{ url: '/v1', method: 'GET' }, 'caller'],
    [{ url: '/info/', method: 'GET' }, 'caller'],
    [{ url: '/metrics', method: 'GET' }, 'service'],
    [{ url: '/', method: ['GET', 'HEAD'] }, 'nothing'],
    [{ url: '/admin', method: 'GET', config: { needs: 'service' as const } }, 'service'],
  ])('%j: %s', (route, needs) => expect(needsOf(route)).toBe(needs));

  test('must be said by a route that takes a body, and names no volume', () =>
    expect(() => needsOf({ url: '/admin', method: 'POST' })).toThrow(TypeError));
});
