import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { createMockBucket, gsRoutes, serveMocks, type ServedMocks } from '../../../mocks/index.ts';
import type { RequestError } from '../../../lib/base/errors.ts';
import { redactSecrets } from '../../../lib/base/secret-redaction.ts';
import { readGsObject, readGsReason, readStoredBytes } from '../../../lib/storage/uploads/gs-replies.ts';
import type { UploadOptions, UploadSource } from '../../../lib/storage/uploads/object-writer.ts';
import { bytesOf, sourceOf, uploader } from './upload-cases.ts';

const STEP = 2 ** 18;
const bucket = createMockBucket({ files: {}, token: 'T0KEN-of-bucket', writable: true }),
  elsewhere = createMockBucket({ files: {}, writable: true });
const DATA = bytesOf(3 * STEP + 5),
  OTHER = Buffer.from('of another program');
let served: ServedMocks, foreign: ServedMocks, opened: ReturnType<typeof uploader>;

beforeAll(async () => {
  served = await serveMocks(gsRoutes({ buck: bucket }));
  foreign = await serveMocks(gsRoutes({ buck: elsewhere }));
  opened = uploader('gs://buck/dir/a b.csv', {
    endpoint: served.url,
    headers: { authorization: 'Bearer T0KEN-of-bucket' },
  });
});
afterAll(async () => {
  opened.http.close();
  await served.close();
  await foreign.close();
});
beforeEach(() => {
  bucket.faults.length = bucket.log.requests.length = opened.warnings.length = 0;
  bucket.delete('dir/a b.csv');
});

async function upload(
  meanwhile: () => void = () => {},
  options: UploadOptions = {},
  source: UploadSource = sourceOf(DATA),
): Promise<void> {
  const claimed = await opened.claim({ partBytes: STEP, ...options });
  meanwhile();
  bucket.log.requests.length = 0;
  await claimed.upload(source);
}
const failure = (work: Promise<unknown>): Promise<RequestError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as RequestError,
  );
/** What is stored; a comparison of long arrays takes seconds. */
const stored = (): unknown => {
  const bytes = bucket.get('dir/a b.csv')?.bytes;
  return bytes && (DATA.equals(bytes) ? 'DATA' : OTHER.equals(bytes) ? 'OTHER' : bytes.length);
};
/** The requests since the upload began, such as `PUT 0-262143/786437 308`. */
const steps = (): string[] =>
  bucket.log.requests.map(({ method, headers, status }) =>
    [method, (headers['content-range'] ?? '').replace('bytes ', ''), status].filter(Boolean).join(' '),
  );
const TOTAL = DATA.length;
const part = (k: number): string => `${k * STEP}-${Math.min((k + 1) * STEP, TOTAL) - 1}/${TOTAL}`;
const ofPart = (k: number) => (request: { headers: Record<string, string> }) =>
  request.headers['content-range'] === `bytes ${part(k)}`;

describe('an object on Google', () => {
  test('is written in chunks, with its digest and its type', async () => {
    await upload();
    expect([stored(), bucket.get('dir/a b.csv')!.contentType]).toEqual(['DATA', 'text/csv']);
    expect(steps()).toEqual([
      'POST 200',
      `PUT ${part(0)} 308`,
      `PUT ${part(1)} 308`,
      `PUT ${part(2)} 308`,
      `PUT ${part(3)} 200`,
    ]);
    expect([bucket.unfinishedUploads, opened.warnings]).toEqual([[], []]);
    await upload(undefined, {}, sourceOf(new Uint8Array(0)));
    expect(stored()).toBe(0);
  });

  test('replaces the version that was there, and no other', async () => {
    bucket.put('dir/a b.csv', 'old');
    await upload();
    expect(stored()).toBe('DATA');
    const changed = await failure(upload(() => bucket.put('dir/a b.csv', OTHER)));
    expect([changed.status, changed.message, stored()]).toEqual([
      412,
      expect.stringMatching(/dir\/a%20b\.csv answered 412 conditionNotMet .* another program wrote/),
      'OTHER',
    ]);
    bucket.delete('dir/a b.csv');
    expect((await failure(upload(() => bucket.put('dir/a b.csv', OTHER)))).status).toBe(412);
    expect([stored(), bucket.unfinishedUploads]).toEqual(['OTHER', []]);
  });

  test('is written without a condition if it may not be read', async () => {
    bucket.faults.push({ match: ({ method }) => method === 'GET', status: 403 });
    await upload(() => bucket.put('dir/a b.csv', OTHER));
    expect(stored()).toBe('DATA');
  });
});

describe('a failure on Google', () => {
  test('in the middle goes on from what is stored', async () => {
    await upload(() =>
      bucket.faults.push(
        { match: ofPart(1), status: 503, times: 1 },
        { match: ofPart(2), reset: true, times: 1 },
        { match: ofPart(3), lengthOff: 7, times: 1 }, // the object is made, and the reply is lost
      ),
    );
    expect(stored()).toBe('DATA');
    expect(steps().filter((step) => step.includes('*'))).toEqual([
      `PUT */${TOTAL} 308`,
      `PUT */${TOTAL} 308`,
      `PUT */${TOTAL} 200`,
    ]);
  });

  test('to store a whole chunk sends the rest again', async () => {
    const range = `bytes=0-${STEP - 1}`;
    await upload(() => bucket.faults.push({ match: /upload_id/, headers: { range }, times: 1 }), {
      partBytes: 2 * STEP,
    });
    expect(stored()).toBe('DATA');
    expect(steps().slice(1)).toEqual([
      `PUT 0-${2 * STEP - 1}/${TOTAL} 308`,
      `PUT ${STEP}-${3 * STEP - 1}/${TOTAL} 308`,
      `PUT ${part(3)} 200`,
    ]);
  });

  test.each([
    ['with a status', { match: ofPart(2), status: 500 }, /a%20b\.csv answered 500 to an upload/],
    ['of the connection', { match: ofPart(2), reset: true as const }, /connection failed/],
    ['that is no progress', { match: ofPart(0), headers: { range: '' } }, /a range that was not sent/],
    [
      'that stores more',
      { match: ofPart(0), headers: { range: 'bytes=0-9999999' } },
      /a range that was not sent/,
    ],
    [
      'that stores nothing',
      { match: ofPart(0), status: 308 },
      /the server stores too little of what it is sent/,
    ],
    ['of the session', { match: ofPart(2), status: 410 }, /has removed the unfinished upload/],
    [
      'of the digest that Google computes',
      { match: ofPart(3), body: JSON.stringify({ size: String(TOTAL), md5Hash: 'AAAA', generation: '' }) },
      /stored other bytes than those that were sent/,
    ],
    [
      'of the size that Google tells',
      { match: ofPart(3), body: JSON.stringify({ size: String(TOTAL - 1) }) },
      /stored other bytes than those that were sent/,
    ],
  ])('%s for good leaves nothing', async (_name, fault, message) => {
    const error = await failure(upload(() => bucket.faults.push(fault)));
    expect(error.message).toMatch(message);
    expect([stored(), bucket.unfinishedUploads, opened.warnings]).toEqual([undefined, [], []]);
  });

  test('of bytes that changed on their way makes no object', async () => {
    const md5 = createHash('md5').update(OTHER).digest();
    const error = await failure(upload(undefined, {}, sourceOf(DATA, { md5 })));
    expect([error.status, error.message]).toEqual([
      400,
      expect.stringMatching(/answered 400 invalid to an upload/),
    ]);
    expect([stored(), bucket.unfinishedUploads]).toEqual([undefined, []]);
  });

  test('tells which permission is missing, before any work', async () => {
    const body = JSON.stringify({ error: { code: 403, errors: [{ reason: 'forbidden' }] } });
    bucket.faults.push({ match: ({ method }) => method === 'POST', status: 403, body });
    expect((await failure(opened.claim())).message).toMatch(
      /a%20b\.csv answered 403 forbidden to an upload; writing needs storage\.objects\.create, and storage\.objects\.delete/,
    );
  });

  test('to remove an upload is told', async () => {
    await failure(
      upload(() =>
        bucket.faults.push(
          { match: ofPart(1), status: 404 },
          { match: ({ method }) => method === 'DELETE', status: 503 },
        ),
      ),
    );
    expect(opened.warnings).toEqual([
      expect.stringMatching(/^the unfinished upload of .* could not be removed \(status 503\)/),
    ]);
  });
});

test('an abort removes the upload', async () => {
  const stop = new AbortController(),
    reason = new Error('stopped');
  const uploading = failure(
    upload(() => bucket.faults.push({ match: ofPart(2), stall: true }), { signal: stop.signal }),
  );
  while (!bucket.log.requests.some(ofPart(2))) await new Promise(setImmediate);
  stop.abort(reason);
  expect(await uploading).toBe(reason);
  expect([stored(), steps().at(-1), opened.warnings]).toEqual([undefined, 'DELETE 499', []]);
});

describe('the session of an upload', () => {
  test('is at the server that the user named, or nothing is sent', async () => {
    const location = `${foreign.url}/upload/storage/v1/b/buck/o?upload_id=of-another-server`;
    bucket.faults.push({ match: ({ method }) => method === 'POST', headers: { location } });
    const { message } = await failure(opened.claim());
    expect(message).toMatch(`the server wants the upload at ${foreign.url}, which is not ${served.url}`);
    expect(elsewhere.log.requests).toEqual([]);
  });

  test('is a secret', async () => {
    const location = `${served.url}/upload/storage/v1/b/buck/o?upload_id=s3ss10n-0f-an-upload`;
    bucket.faults.push({ match: ({ method }) => method === 'POST', headers: { location } });
    expect((await failure(upload())).message).not.toMatch(/s3ss10n/);
    expect(redactSecrets(location)).not.toMatch(/s3ss10n/);
  });
});

describe('the replies of Google', () => {
  const read = (json: unknown) => readGsObject(Buffer.from(JSON.stringify(json)));
  test.each([
    [
      { generation: '17', size: '5', md5Hash: 'x==' },
      { generation: '17', size: 5, md5Hash: 'x==' },
    ],
    [
      { generation: 17, size: 5 },
      { generation: '17', size: 5 },
    ],
    [{ generation: '1&x=1', size: '-5', md5Hash: 7 }, {}],
    [[], {}],
    [null, {}],
  ])('%j', (json, object) => expect(read(json)).toEqual({ ...object }));
  test('may be cut or hostile', () => {
    expect(readGsObject(Buffer.from('{"size":"5"'))).toEqual({});
    expect(readGsReason(Buffer.from('{"error":{"errors":[{"reason":"<b>"}]}}'))).toBeUndefined();
    expect(readGsReason(Buffer.from('{"error":"no"}'))).toBeUndefined();
    expect(
      [undefined, 'bytes=0-9', 'bytes=1-9', 'bytes 0-9', `bytes=0-${'9'.repeat(30)}`].map(readStoredBytes),
    ).toEqual([0, 10, undefined, undefined, undefined]);
  });
});
