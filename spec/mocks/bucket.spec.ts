import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMockBucket, type MockBucket } from '../../mocks/bucket.ts';
import { writeFiles } from '../../mocks/folder.ts';
import { mockRequest, type MockResponse } from '../../mocks/message.ts';

const folder = mkdtempSync(join(tmpdir(), 'graphene-points-'));
beforeAll(() => {
  mkdirSync(join(folder, 'inside/8_8_40'), { recursive: true });
  writeFileSync(join(folder, 'secret'), 'outside of the bucket');
  writeFileSync(join(folder, 'inside/info'), '{}');
  writeFileSync(join(folder, 'inside/8_8_40/0-64_0-64_0-64.br'), 'as stored');
});
afterAll(() => rmSync(folder, { recursive: true }));

const get = (
  bucket: MockBucket,
  path: string,
  headers: Record<string, string | undefined> = {},
): Promise<MockResponse> =>
  bucket.handle(
    mockRequest('GET', path, { headers: JSON.parse(JSON.stringify(headers)) as Record<string, string> }),
  ); // without undefined members
const text = ({ body }: MockResponse): string => Buffer.from(body).toString();
const code = (response: MockResponse): string | undefined => /<Code>(\w+)<\/Code>/.exec(text(response))?.[1];

describe('a bucket of a folder', () => {
  const bucket = createMockBucket({ folder: join(folder, 'inside') });

  test.each([
    { path: '/info', body: '{}' },
    { path: '/8_8_40/0-64_0-64_0-64', body: 'as stored' },
  ])('GET $path', async ({ path, body }) => {
    const response = await get(bucket, path);
    expect([response.status, text(response)]).toEqual([200, body]);
  });

  test.each([
    { path: '/missing', status: 404, error: 'NoSuchKey' },
    { path: '/8_8_40', status: 404, error: 'NoSuchKey' },
    { path: '/info/below', status: 404, error: 'NoSuchKey' },
    { path: '/../secret', status: 400, error: 'InvalidArgument' },
    { path: '/%2e%2e/secret', status: 400, error: 'InvalidArgument' },
    { path: '/8_8_40/..%2f../../secret', status: 400, error: 'InvalidArgument' },
    { path: '/..%5csecret', status: 400, error: 'InvalidArgument' },
    { path: '/%00', status: 400, error: 'InvalidArgument' },
    { path: '/%zz', status: 400, error: 'InvalidArgument' },
    { path: '//etc/passwd', status: 400, error: 'InvalidArgument' },
  ])('GET $path: $status $error', async ({ path, status, error }) => {
    const response = await get(bucket, path);
    expect([response.status, response.headers['content-type'], code(response)]).toEqual([
      status,
      'application/xml; charset=UTF-8',
      error,
    ]);
  });

  test('names the encoding of a file by its suffix', async () =>
    expect((await get(bucket, '/8_8_40/0-64_0-64_0-64')).headers['content-encoding']).toBe('br'));

  test('serves objects that replace files, and no deleted ones, without changes on disk', async () => {
    const changing = createMockBucket({ folder: join(folder, 'inside') });
    changing.put('8_8_40/0-64_0-64_0-64', 'plain');
    const put = await get(changing, '/8_8_40/0-64_0-64_0-64');
    expect([text(put), put.headers['content-encoding']]).toEqual(['plain', undefined]);
    expect([changing.delete('info'), changing.delete('info'), changing.delete('never')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([(await get(changing, '/info')).status, existsSync(join(folder, 'inside/info'))]).toEqual([
      404,
      true,
    ]);
    changing.put('info', '[]');
    expect(text(await get(changing, '/info'))).toBe('[]');
  });
});

describe('an object', () => {
  const files: Record<string, Uint8Array> = { info: Buffer.from('{}') };
  const bucket = createMockBucket({ files });

  test('has a new ETag and generation after each put', async () => {
    const before = (await get(bucket, '/info')).headers;
    expect([before.etag, before['x-goog-generation'], before['x-goog-hash']]).toEqual([
      '"99914b932bd37a50b983c5e7c90ae93b"',
      '1',
      'md5=mZFLkyvTelC5g8XnyQrpOw==',
    ]); // md5 of {}
    expect((await get(bucket, '/info')).headers).toEqual(before);
    bucket.put('info', '[]');
    const after = (await get(bucket, '/info')).headers;
    expect([after.etag, after['x-goog-generation']]).toEqual(['"d751713988987e9331980363e24189ce"', '2']);
    files.info = Buffer.from('{ }');
    expect((await get(bucket, '/info')).headers.etag).not.toBe(after.etag);
  });

  test.each([
    { headers: { 'if-none-match': '"99914b932bd37a50b983c5e7c90ae93b"' }, status: 304 },
    { headers: { 'if-none-match': '"other", W/"99914b932bd37a50b983c5e7c90ae93b"' }, status: 304 },
    { headers: { 'if-none-match': '*' }, status: 304 },
    { headers: { 'if-none-match': '"other"' }, status: 200 },
    { headers: { 'if-none-match': '"99914b932bd37a50b983c5e7c90ae93b"', range: 'bytes=0-0' }, status: 304 },
    { headers: { 'if-match': '"99914b932bd37a50b983c5e7c90ae93b"', range: 'bytes=0-0' }, status: 206 },
    { headers: { 'if-match': '"other"' }, status: 412 },
  ])('answers a request with $headers: $status', async ({ headers, status }) => {
    const response = await get(createMockBucket({ files: { info: Buffer.from('{}') } }), '/info', headers);
    expect([response.status, response.headers.etag]).toEqual([
      status,
      status === 412 ? undefined : '"99914b932bd37a50b983c5e7c90ae93b"',
    ]);
    if (status === 304) expect(response.body.length).toBe(0);
    if (status === 412) expect(code(response)).toBe('PreconditionFailed');
  });

  test.each([
    { style: 'gs', takes: '', status: 200, unpacked: true },
    { style: 'gs', takes: 'gzip', status: 206, unpacked: false },
    { style: 's3', takes: '', status: 206, unpacked: false },
  ] as const)(
    'answers a range of a gzip object in style $style to a client that accepts "$takes": $status',
    async ({ style, takes, status, unpacked }) => {
      const packed = gzipSync('0123456789');
      const response = await get(createMockBucket({ files: { 'a.gz': packed }, style }), '/a', {
        range: 'bytes=2-4',
        'accept-encoding': takes,
      });
      expect([response.status, response.headers['content-encoding'], Buffer.from(response.body)]).toEqual([
        status,
        unpacked ? undefined : 'gzip',
        unpacked ? Buffer.from('0123456789') : packed.subarray(2, 5),
      ]);
    },
  );

  test('cannot be written or deleted over HTTP', async () => {
    const response = await bucket.handle(mockRequest('PUT', '/info', { body: '[]' }));
    expect([response.status, response.headers.allow, code(response)]).toEqual([
      405,
      'GET, HEAD',
      'MethodNotAllowed',
    ]);
  });
});

describe('a private bucket', () => {
  const signed = (key: string): string =>
    `AWS4-HMAC-SHA256 Credential=${key}/20240605/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00`;
  test.each([
    { style: 'gs', authorization: undefined, status: 403, error: 'AccessDenied' },
    { style: 'gs', authorization: 'Bearer other', status: 401, error: 'AuthenticationRequired' },
    { style: 'gs', authorization: 'Bearer secret', status: 200, error: undefined },
    { style: 's3', authorization: undefined, status: 403, error: 'AccessDenied' },
    { style: 's3', authorization: signed('OTHER'), status: 403, error: 'InvalidAccessKeyId' },
    { style: 's3', authorization: signed('secret'), status: 200, error: undefined },
  ] as const)(
    'of $style answers $authorization with $status',
    async ({ style, authorization, status, error }) => {
      const response = await get(
        createMockBucket({ files: { info: Buffer.from('{}') }, style, token: 'secret' }),
        '/info',
        { authorization },
      );
      expect([response.status, code(response)]).toEqual([status, error]);
      expect(response.headers['www-authenticate']).toBe(
        status === 401 ? 'Bearer realm="https://accounts.google.com/"' : undefined,
      );
      expect(response.headers['x-amz-request-id']).toBe(
        style === 's3' && error ? 'MOCK000000000000' : undefined,
      );
    },
  );

  test.each(['gs', 's3'] as const)(
    'of %s whose readers may not list it hides what does not exist',
    async (style) => {
      const bucket = createMockBucket({ files: { info: Buffer.from('{}') }, style, listable: false });
      expect([
        (await get(bucket, '/info')).status,
        (await get(bucket, '/missing')).status,
        code(await get(bucket, '/missing')),
      ]).toEqual([200, 403, 'AccessDenied']);
    },
  );
});

describe('writeFiles', () => {
  test('writes files that a bucket of the folder serves', async () => {
    const target = join(folder, 'written');
    writeFiles(target, {
      info: Buffer.from('{}'),
      's0/a': { bytes: Buffer.from('as stored'), contentEncoding: 'zstd' },
    });
    const { headers, body } = await get(createMockBucket({ folder: target }), '/s0/a');
    expect([
      headers['content-encoding'],
      Buffer.from(body).toString(),
      existsSync(join(target, 's0/a.zstd')),
    ]).toEqual(['zstd', 'as stored', true]);
  });

  test.each([
    ['/etc/x', undefined, '/etc/x is not below the folder'],
    ['a/../../x', undefined, 'a/../../x is not below the folder'],
    ['a', 'xz', 'a: there is no suffix for the Content-Encoding xz'],
  ])('refuses %s with %s', (key, contentEncoding, says) =>
    expect(() => writeFiles(folder, { [key]: { bytes: new Uint8Array(1), contentEncoding } })).toThrow(
      new RangeError(says),
    ),
  );
});
