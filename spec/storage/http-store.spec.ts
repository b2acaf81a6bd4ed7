import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { inspect } from 'node:util';
import nock from 'nock';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { newMeter, type ReadOptions } from '../../lib/storage/store.ts';
import { openStore } from '../../lib/storage/open-store.ts';
import type { OpenStoreOptions } from '../../lib/storage/open-options.ts';

const http = createHttpClient({ retries: 0 });
beforeAll(() => nock.disableNetConnect());
afterAll(() => nock.restore());
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});

interface Reply {
  status: number;
  body?: string | Buffer;
  headers?: Record<string, string>;
}
const GCS = 'https://storage.googleapis.com';
function read(
  { status, body = '', headers = {} }: Reply,
  options: ReadOptions = {},
  path = 'gs://bucket/vol',
  more: Partial<OpenStoreOptions> = {},
) {
  nock(path.startsWith('gs') ? GCS : new URL(path).origin)
    .get(/.*/)
    .reply(status, body, headers);
  return openStore(path, { http, credentials: 'anonymous', env: {}, ...more }).read('key', options);
}

describe('HttpStore', () => {
  test('treats 403 as not found in an unsigned bucket if the caller allows it, and counts it', async () => {
    const meter = newMeter();
    expect(await read({ status: 403 }, { absentBy403: true, meter })).toBeUndefined();
    expect(meter).toEqual({ requests: 1, bytes: 0, absentBy403: 1 });
  });
  test.each<[string, ReadOptions, string, Partial<OpenStoreOptions>]>([
    ['if the caller does not allow it', {}, 'gs://bucket/vol', {}],
    [
      'with credentials',
      { absentBy403: true },
      'gs://bucket/vol',
      { credentials: 'default', headers: { authorization: 'Bearer t' } },
    ],
    ['elsewhere', { absentBy403: true }, 'https://host.org/vol', {}],
  ])('treats 403 as an error %s', async (_name, options, path, more) => {
    await expect(read({ status: 403 }, options, path, more)).rejects.toMatchObject({
      code: 'HTTP_STATUS',
      status: 403,
    });
  });

  test.each([204, 304, 400, 401, 410, 413, 429, 500, 503])(
    'treats %i as an error with the URL and the status',
    async (status) => {
      const failed = read(
        { status, body: status === 204 || status === 304 ? '' : 'because' },
        {},
        'https://host.org/vol?sig=s3cret',
      );
      await expect(failed).rejects.toMatchObject({
        name: 'RequestError',
        code: 'HTTP_STATUS',
        status,
        url: 'https://host.org/vol/key',
      });
    },
  );
  test('never shows in an error what was sent, even if the server repeats it', async () => {
    const error: unknown = await read(
      { status: 500, body: 'you sent token s3cret and sig=s1gnature' },
      {},
      'https://u:passw0rd@host.org/vol?sig=s1gnature',
      { headers: { authorization: 'Token s3cret' } },
    ).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'HTTP_STATUS', message: 'https://host.org/vol/key answered 500' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/s3cret|s1gnature|passw0rd/);
  });

  test('accepts the whole object if the server ignores the range', async () => {
    expect(await read({ status: 200, body: 'everything' }, { range: { start: 2, end: 4 } })).toEqual({
      bytes: Buffer.from('everything'),
      contentEncoding: undefined,
    });
  });
  test.each([
    ['without Content-Range', undefined, 'ab'],
    ['of other bytes', 'bytes 3-4/10', 'ab'],
    ['of fewer bytes than exist', 'bytes 2-2/10', 'a'],
    ['of fewer bytes, with an unknown size', 'bytes 2-2/*', 'a'],
    ['of more bytes', 'bytes 2-5/10', 'abcd'],
    ['whose body is shorter', 'bytes 2-3/10', 'a'],
    ['in another unit', 'lines 2-3/10', 'ab'],
  ])('refuses a 206 %s', async (_name, contentRange, body) => {
    await expect(
      read(
        { status: 206, body, headers: { ...(contentRange && { 'content-range': contentRange }) } },
        { range: { start: 2, end: 4 } },
      ),
    ).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 206 });
  });
  test('refuses a 206 to a request without a range', async () => {
    await expect(
      read({ status: 206, body: 'ab', headers: { 'content-range': 'bytes 0-1/2' } }),
    ).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });
  test('accepts a part of an object of unknown size', async () => {
    const requested = { range: { start: 2, end: 4 } },
      part = { status: 206, body: 'ab', headers: { 'content-range': 'bytes 2-3/*' } };
    expect(await read(part, requested)).toMatchObject({ range: { start: 2, end: 4 } });
    expect(await read(part, requested)).not.toHaveProperty('totalBytes');
  });
  test('accepts fewer bytes of an object of unknown size with mayBeCut, without a total size', async () => {
    const requested = { range: { start: 2, end: 99 }, mayBeCut: true },
      part = { status: 206, body: 'ab', headers: { 'content-range': 'bytes 2-3/*' } };
    expect(await read(part, requested)).toMatchObject({ range: { start: 2, end: 4 } });
    expect(await read(part, requested)).not.toHaveProperty('totalBytes');
    await expect(
      read({ ...part, body: '', headers: { 'content-range': 'bytes 2-1/*' } }, requested),
    ).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 206 });
    await expect(
      read({ ...part, headers: { 'content-range': 'bytes 2-3/10' } }, requested),
    ).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 206 });
  });
  test.each([
    ['aws-chunked', undefined],
    ['aws-chunked,gzip', 'gzip'],
    ['gzip, AWS-Chunked', 'gzip'],
    ['identity', undefined],
    ['none', undefined],
    ['Binary', undefined],
    ['UTF-8', undefined],
    ['utf8,br', 'br'],
    [' , ', undefined],
    ['identity, gzip ,none', 'gzip'],
    ['foo', 'foo'],
  ])('reads the content encoding %j as %j', async (header, coding) => {
    expect(
      (await read({ status: 200, body: 'x', headers: { 'content-encoding': header } }))!.contentEncoding,
    ).toBe(coding);
  });
  test.each<[string, Record<string, string>, string | undefined]>([
    ['an ETag', { etag: '"e"', 'x-goog-generation': '7', 'last-modified': 'Thu' }, '"e"'],
    ['a weak ETag', { etag: 'W/"e"' }, 'W/"e"'],
    ["Google's generation", { 'x-goog-generation': '7', 'last-modified': 'Thu' }, 'generation 7'],
    ['a date and the size', { 'last-modified': 'Thu' }, 'modified Thu size 10'],
    [
      'a date and the size if the ETag is empty',
      { etag: '""', 'last-modified': 'Thu' },
      'modified Thu size 10',
    ],
    ['nothing', {}, undefined],
  ])('makes a validator from %s', async (_name, headers, validator) => {
    const range = { range: { start: 2, end: 4 } };
    expect(
      (await read(
        { status: 206, body: 'ab', headers: { ...headers, 'content-range': 'bytes 2-3/10' } },
        range,
      ))!.validator,
    ).toBe(validator);
    expect((await read({ status: 200, body: '0123456789', headers }))!.validator).toBe(validator);
  });
  test('makes no validator from a date if the size is unknown', async () => {
    expect(
      (await read(
        { status: 206, body: 'ab', headers: { 'last-modified': 'Thu', 'content-range': 'bytes 2-3/*' } },
        { range: { start: 2, end: 4 } },
      ))!.validator,
    ).toBeUndefined();
  });
  test('accepts a 206 that ends where the object does', async () => {
    expect(
      (await read(
        { status: 206, body: 'ab', headers: { 'content-range': 'bytes 8-9/10' } },
        { range: { start: 8, end: 99 } },
      ))!.range,
    ).toEqual({ start: 8, end: 10 });
  });

  test.each([
    ['as it is', '<html><title>Sign in</title>', {}],
    ['with gzip', gzipSync('<html><title>Sign in</title>'), { 'content-encoding': 'gzip' }],
  ])('refuses a web page instead of an object, %s', async (_name, body, headers) => {
    await expect(
      read({ status: 200, body, headers: { 'content-type': 'text/html', ...headers } }),
    ).rejects.toMatchObject({ code: 'BAD_RESPONSE', message: expect.stringMatching(/web page: Sign in$/) });
  });
  test('accepts an object with a misleading content type', async () => {
    expect(
      (await read({ status: 200, body: '\x01\x02', headers: { 'content-type': 'text/html' } }))!.bytes,
    ).toHaveLength(2);
  });
  test('returns a list of encodings', async () => {
    expect(
      (await read({ status: 200, body: 'x', headers: { 'content-encoding': 'GZIP, Gzip' } }))!
        .contentEncoding,
    ).toBe('gzip, gzip');
  });
  test('sends its headers and its query with every key', async () => {
    nock('https://host.org', {
      reqheaders: { authorization: 'Bearer t', 'accept-encoding': 'gzip, br, zstd' },
    })
      .get('/vol/a%20b/c%23')
      .query({ sig: 'x/y' })
      .reply(200, 'ok');
    const store = openStore('https://host.org/vol/?sig=x%2Fy', {
      http,
      headers: { Authorization: 'Bearer t' },
    });
    expect((await store.read('a b/c#'))!.bytes).toHaveLength(2);
    expect(store.url).toBe('https://host.org/vol');
  });
});
