import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMockBucket, mockRequest } from '../../mocks/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'graphene-points-'));
beforeAll(() => {
  mkdirSync(join(folder, 'inside/8_8_40'), { recursive: true });
  writeFileSync(join(folder, 'secret'), 'outside of the bucket');
  writeFileSync(join(folder, 'inside/info'), '{}');
  writeFileSync(join(folder, 'inside/8_8_40/0-64_0-64_0-64.br'), 'as stored');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a bucket of a folder', () => {
  const bucket = createMockBucket({ folder: join(folder, 'inside') });

  test.each([
    { path: '/info', status: 200, body: '{}' },
    { path: '/8_8_40/0-64_0-64_0-64', status: 200, body: 'as stored' },
    { path: '/missing', status: 404, body: 'no such object\n' },
    { path: '/8_8_40', status: 404, body: 'no such object\n' },
    { path: '/info/below', status: 404, body: 'no such object\n' },
    { path: '/../secret', status: 400, body: 'no such key can exist\n' },
    { path: '/%2e%2e/secret', status: 400, body: 'no such key can exist\n' },
    { path: '/8_8_40/..%2f../../secret', status: 400, body: 'no such key can exist\n' },
    { path: '/..%5csecret', status: 400, body: 'no such key can exist\n' },
    { path: '/%00', status: 400, body: 'no such key can exist\n' },
    { path: '/%zz', status: 400, body: 'no such key can exist\n' },
    { path: '//etc/passwd', status: 400, body: 'no such key can exist\n' },
  ])('GET $path: $status', async ({ path, status, body }) => {
    const response = await bucket.handle(mockRequest('GET', path));
    expect([response.status, Buffer.from(response.body).toString()]).toEqual([status, body]);
  });

  test('names the encoding of a file by its suffix', async () => expect((await bucket.handle(mockRequest('GET', '/8_8_40/0-64_0-64_0-64'))).headers['content-encoding']).toBe('br'));
});

describe('a bucket of files', () => {
  const files: Record<string, Uint8Array> = { info: Buffer.from('{}') };
  const bucket = createMockBucket({ files, token: 'secret' });
  const get = (authorization?: string) => bucket.handle(mockRequest('GET', '/info', { headers: authorization ? { Authorization: authorization } : {} }));

  test('wants its token', async () => {
    expect([(await get()).status, (await get('Bearer other')).status, (await get('Bearer secret')).status]).toEqual([401, 401, 200]);
  });

  test('has another ETag when the bytes are others', async () => {
    const before = (await get('Bearer secret')).headers.etag;
    expect((await get('Bearer secret')).headers.etag).toBe(before);
    files.info = Buffer.from('[]');
    expect((await get('Bearer secret')).headers.etag).not.toBe(before);
  });

  test('takes nothing but GET and HEAD', async () => expect(await bucket.handle(mockRequest('PUT', '/info'))).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } }));
});
