import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createMockBucket, serveMocks, type ServedMocks } from '../../../mocks/index.ts';
import type { RequestError } from '../../../lib/base/errors.ts';
import type { UploadOptions } from '../../../lib/storage/uploads/object-writer.ts';
import { bytesOf, sourceOf, uploader } from './upload-cases.ts';

const KEYS = { accessKeyId: 'T0KEN-of-bucket', secretAccessKey: 'k3y-that-is-secret' };
const bucket = createMockBucket({
  files: {},
  style: 's3',
  token: KEYS.accessKeyId,
  writable: true,
  minPartBytes: 1000,
});
const DATA = bytesOf(4500),
  OTHER = Buffer.from('of another program');
let served: ServedMocks, opened: ReturnType<typeof uploader>;

beforeAll(async () => {
  served = await serveMocks({ '/buck': bucket });
  opened = uploader('s3://buck/dir/a.csv', { endpoint: served.url, credentials: KEYS });
});
afterAll(async () => {
  opened.http.close();
  await served.close();
});
beforeEach(() => {
  bucket.faults.length = bucket.log.requests.length = opened.warnings.length = 0;
  bucket.delete('dir/a.csv');
});

/** Uploads the data in 5 parts. @param meanwhile Called between the claim and the upload. */
async function upload(meanwhile: () => void = () => {}, options: UploadOptions = {}): Promise<void> {
  const claimed = await opened.claim({ partBytes: 1000, ...options });
  meanwhile();
  bucket.log.requests.length = 0;
  await claimed.upload(sourceOf(DATA));
}
const failure = (work: Promise<unknown>): Promise<RequestError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as RequestError,
  );
const stored = (): unknown => bucket.get('dir/a.csv')?.bytes;
/** The requests since the upload began, such as `PUT 2`. */
const steps = (): string[] =>
  bucket.log.requests.map(({ method, query }) =>
    [method, new URLSearchParams(query).get('partNumber') ?? ''].join(' ').trim(),
  );
const ofPart = (part: number) => new RegExp(`partNumber=${part}&`);
const ofCompletion = ({ method, query }: { method: string; query: URLSearchParams }): boolean =>
  method === 'POST' && query.has('uploadId');

describe('an object on S3', () => {
  test('is written in one request if it is small', async () => {
    const claimed = await opened.claim();
    bucket.log.requests.length = 0;
    await claimed.upload(sourceOf(DATA));
    expect([stored(), bucket.get('dir/a.csv')!.contentType, steps()]).toEqual([
      DATA,
      'text/csv',
      ['PUT', 'HEAD'],
    ]);
    await (await opened.claim()).upload(sourceOf(new Uint8Array(0)));
    expect(stored()).toHaveLength(0);
  });

  test('is written in parts, each signed with its digests', async () => {
    await upload();
    expect([stored(), bucket.get('dir/a.csv')!.contentType]).toEqual([DATA, 'text/csv']);
    expect(steps().sort()).toEqual(['HEAD', 'POST', 'POST', ...[1, 2, 3, 4, 5].map((part) => `PUT ${part}`)]);
    for (const { method, headers } of bucket.log.requests)
      expect([method, headers.authorization]).toEqual([method, expect.stringContaining(KEYS.accessKeyId)]);
    const { headers } = bucket.log.requests.find(({ query }) => query.includes('partNumber=2'))!;
    expect(headers.authorization).toMatch(/SignedHeaders=[^,]*content-md5;host;x-amz-content-sha256/);
    expect([bucket.unfinishedUploads, opened.warnings]).toEqual([[], []]);
  });

  test('replaces the version that was there, and no other', async () => {
    bucket.put('dir/a.csv', OTHER);
    await upload();
    expect(stored()).toEqual(DATA);
    for (const partBytes of [1000, 10_000]) {
      bucket.put('dir/a.csv', 'old');
      const changed = await failure(upload(() => bucket.put('dir/a.csv', OTHER), { partBytes }));
      expect([changed.status, changed.message, stored()]).toEqual([
        412,
        expect.stringMatching(/dir\/a\.csv answered 412 PreconditionFailed .* another program wrote/),
        OTHER,
      ]);
      bucket.delete('dir/a.csv');
      const created = await failure(upload(() => bucket.put('dir/a.csv', OTHER), { partBytes }));
      expect([created.status, stored(), bucket.unfinishedUploads]).toEqual([412, OTHER, []]);
    }
  });

  test('is not replaced if the server closes the connection instead of sending its refusal', async () => {
    const breakUploads = (): void => {
      bucket.faults.push({ match: ({ method }) => method === 'PUT', reset: true });
    };
    for (const meanwhile of [() => bucket.put('dir/a.csv', OTHER), () => bucket.delete('dir/a.csv')]) {
      bucket.put('dir/a.csv', 'old');
      const refused = await failure(
        upload(
          () => {
            meanwhile();
            breakUploads();
          },
          { partBytes: 10_000 },
        ),
      );
      expect([refused.status, refused.message]).toEqual([
        412,
        expect.stringMatching(/dir\/a\.csv: another program wrote or deleted the object meanwhile/),
      ]);
      bucket.faults.length = 0;
    }
    bucket.put('dir/a.csv', 'old');
    const unreachable = await failure(upload(breakUploads, { partBytes: 10_000 }));
    expect([unreachable.status, stored()]).toEqual([undefined, Buffer.from('old')]);
  });

  test('is written without a condition where the server has none', async () => {
    const NOT_IMPLEMENTED = '<Error><Code>NotImplemented</Code></Error>';
    bucket.put('dir/a.csv', 'old');
    await upload(() =>
      bucket.faults.push({ match: (r) => 'if-match' in r.headers, status: 501, body: NOT_IMPLEMENTED }),
    );
    expect(stored()).toEqual(DATA);
  });
});

describe('a failure on S3', () => {
  test('in the middle of a part is retried', async () => {
    bucket.faults.push(
      { match: ofPart(3), status: 503, times: 1 },
      { match: ofPart(5), reset: true, times: 1 },
      { match: ofPart(2), status: 400, body: '<Error><Code>BadDigest</Code></Error>', times: 1 },
    );
    await upload();
    expect(stored()).toEqual(DATA);
    expect(steps().filter((step) => /^PUT [235]$/.test(step))).toHaveLength(6);
  });

  test.each([
    ['of a part', { match: ofPart(3), status: 500 }, /a\.csv answered 500 to an upload/],
    ['of the completion', { match: ofCompletion, status: 500 }, /a\.csv answered 500 to an upload/],
    [
      'after status 200',
      { match: ofCompletion, status: 200, body: '<Error><Code>InternalError</Code></Error>' },
      /a\.csv: the server answered 200, but did not make the object \(InternalError\)/,
    ],
    [
      'of a digest of a part',
      { match: ofPart(4), headers: { etag: `"${'0'.repeat(32)}"` } },
      /a\.csv: the server stored other bytes than those of part 4/,
    ],
    ['of an ETag', { match: ofPart(4), headers: { etag: '' } }, /the reply to part 4 has no ETag/],
    ['of an answer', { match: /uploads=/, status: 200, body: 'hello' }, /did not name the upload/],
  ])('%s for good leaves nothing', async (_name, fault, message) => {
    const error = await failure(upload(() => bucket.faults.push(fault)));
    expect(error.message).toMatch(message);
    expect([stored(), bucket.unfinishedUploads, opened.warnings]).toEqual([undefined, [], []]);
  });

  test('after status 200 is retried', async () => {
    const body = '<?xml version="1.0"?>\n  <Error><Code>InternalError</Code></Error>';
    await upload(() => bucket.faults.push({ match: ofCompletion, status: 200, body, times: 1 }));
    expect(stored()).toEqual(DATA);
  });

  test('that loses only the last reply is a success', async () => {
    await upload(() => bucket.faults.push({ match: ofCompletion, truncate: 0, times: 1 }));
    expect([stored(), steps().slice(-3)]).toEqual([DATA, ['POST', 'HEAD', 'HEAD']]);
    const small = await opened.claim();
    bucket.faults.push({ match: ({ method }) => method === 'PUT', lengthOff: 9, times: 2 });
    await small.upload(sourceOf(OTHER));
    expect(stored()).toEqual(OTHER);
  });

  test('of the digest of the object deletes it', async () => {
    const claimed = await opened.claim();
    bucket.faults.push({ match: ({ method }) => method === 'PUT', headers: { etag: `"${'0'.repeat(32)}"` } });
    const error = await failure(claimed.upload(sourceOf(DATA)));
    expect([error.message, stored()]).toEqual([
      expect.stringMatching(/the server stored other bytes than those that were sent/),
      undefined,
    ]);
  });

  test('of the size of the object deletes it', async () => {
    const error = await failure(
      upload(() =>
        bucket.faults.push({
          match: ({ method }) => method === 'HEAD',
          headers: { 'content-length': '4499' },
        }),
      ),
    );
    expect([error.message, stored()]).toEqual([expect.stringMatching(/stored other bytes/), undefined]);
  });

  test('that leaves an unfinished upload names it', async () => {
    const error = await failure(
      upload(() =>
        bucket.faults.push(
          { match: ofPart(2), status: 500 },
          { match: ({ method }) => method === 'DELETE', status: 500 },
        ),
      ),
    );
    expect(error.message).toMatch(/answered 500/);
    const [{ id }] = bucket.unfinishedUploads;
    expect(opened.warnings).toEqual([
      expect.stringContaining(`the unfinished upload ${id} of ${served.url}/buck/dir/a.csv`),
    ]);
    bucket.faults.length = 0;
    await bucket.handle({
      method: 'DELETE',
      path: '/dir/a.csv',
      query: new URLSearchParams({ uploadId: id }),
      headers: { authorization: `Bearer ${KEYS.accessKeyId}` },
      body: new Uint8Array(0),
    });
    expect(bucket.unfinishedUploads).toEqual([]);
  });

  test('tells which permission is missing, before any work', async () => {
    bucket.faults.push({
      match: ({ method }) => method === 'POST',
      status: 403,
      body: '<Error><Code>AccessDenied</Code></Error>',
    });
    expect((await failure(opened.claim())).message).toMatch(
      /a\.csv answered 403 AccessDenied to an upload; writing needs s3:PutObject and s3:AbortMultipartUpload; the credentials from the credentials option were refused/,
    );
    bucket.faults[0] = {
      match: ({ method }) => method === 'POST',
      status: 404,
      body: '<Error><Code>NoSuchBucket</Code></Error>',
    };
    expect((await failure(opened.claim())).message).toMatch(
      /404 NoSuchBucket to an upload; there is no such bucket/,
    );
  });
});

test('an abort removes the upload', async () => {
  const stop = new AbortController(),
    reason = new Error('stopped');
  bucket.faults.push({ match: ofPart(3), stall: true });
  const uploading = failure(upload(() => {}, { signal: stop.signal }));
  while (!steps().includes('PUT 3')) await new Promise(setImmediate);
  stop.abort(reason);
  expect(await uploading).toBe(reason);
  expect([stored(), bucket.unfinishedUploads, opened.warnings]).toEqual([undefined, [], []]);
});
