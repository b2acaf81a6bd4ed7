import { expect, test } from '@jest/globals';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { type PieceOptions, readInPieces } from '../../lib/storage/object-pieces.ts';
import { objectUrl, openObject } from '../../lib/storage/open-object.ts';
import type { ReadOptions, Store, StoredObject } from '../../lib/storage/store.ts';

const bytes = Uint8Array.from({ length: 1000 }, (_, k) => k * 7);
const http = createHttpClient();

/** A store with one object. */
function storeOf(
  answer: (options: ReadOptions, reads: number) => Partial<StoredObject> | undefined,
): Store & { reads: ReadOptions[] } {
  const reads: ReadOptions[] = [];
  return {
    url: 'own://folder',
    reads,
    read(_key, options = {}) {
      reads.push(options);
      const { start, end } = options.range ?? { start: 0, end: bytes.length },
        range = { start, end: Math.min(end, bytes.length) };
      const usual = {
        bytes: bytes.slice(range.start, range.end),
        contentEncoding: undefined,
        validator: 'v1',
      };
      const answered = answer(options, reads.length);
      return Promise.resolve(
        answered && { ...usual, ...(options.range && { range, totalBytes: bytes.length }), ...answered },
      );
    },
  };
}

async function readAll(store: Store, options: PieceOptions = {}): Promise<Uint8Array | undefined> {
  const pieces = await readInPieces(store, 'key', { pieceBytes: 300, ...options });
  if (!pieces) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of pieces.bytes) parts.push(part);
  return Uint8Array.from(Buffer.concat(parts));
}

test('an object is read in pieces, a bounded number of them ahead', async () => {
  const store = storeOf(() => ({}));
  expect(await readAll(store)).toEqual(bytes);
  expect(store.reads.map(({ range }) => range)).toEqual([
    { start: 0, end: 300 },
    { start: 300, end: 600 },
    { start: 600, end: 900 },
    { start: 900, end: 1000 },
  ]);
  const lazy = storeOf(() => ({}));
  const { bytes: pieces } = (await readInPieces(lazy, 'key', { pieceBytes: 10, ahead: 2 }))!;
  await pieces.next();
  expect(lazy.reads).toHaveLength(3);
  await pieces.return(undefined);
  expect(lazy.reads[2].signal?.aborted).toBe(true);
});

test.each([
  ['another version', { validator: 'v2' }],
  ['no version', { validator: undefined }],
  ['another size', { totalBytes: 1001 }],
  ['a short piece', { bytes: bytes.slice(0, 299) }],
  ['the whole object', { range: undefined, totalBytes: undefined, bytes }],
])('a later piece with %s is an error', async (_, later) => {
  const changed = storeOf((_options, reads) => (reads === 3 ? later : {}));
  await expect(readAll(changed)).rejects.toMatchObject({
    name: 'RequestError',
    message: 'own://folder/key has changed while it was read: run the command again',
  });
});

test('an object that is deleted meanwhile is an error', async () => {
  await expect(readAll(storeOf((_, reads) => (reads === 2 ? undefined : {})))).rejects.toThrow(/has changed/);
  expect(await readAll(storeOf(() => undefined))).toBeUndefined();
});

test.each([
  ['ranges are ignored', { range: undefined, totalBytes: undefined, bytes }, 1],
  ['the size is not told', { totalBytes: undefined }, 2],
  ['the version is not told', { validator: undefined }, 2],
])('an object is read in one reply if %s', async (_, first, reads) => {
  const store = storeOf(({ range }) => (range ? first : {}));
  expect(await readAll(store)).toEqual(bytes);
  expect(store.reads).toHaveLength(reads);
});

test.each([
  ['gs://bucket/a b/c#d.csv', 'https://storage.googleapis.com/bucket/a%20b', 'c#d.csv'],
  ['gs://bucket/c.csv', 'https://storage.googleapis.com/bucket', 'c.csv'],
  ['https://host/a/c%20d.csv?sig=%2B', 'https://host/a', 'c d.csv'],
  ['https://host/c.csv?a=b/c', 'https://host', 'c.csv'],
  ['http://[::1]:80/c.csv', 'http://[::1]', 'c.csv'],
  ['s3://https://127.0.0.1/bucket/c.csv', 'https://127.0.0.1/bucket', 'c.csv'],
])('the store and the key of %s are found', (path, url, key) => {
  const object = openObject(path, { http, env: {} });
  expect([object.store.url, object.key]).toEqual([url, key]);
});

test.each([
  'gs://bucket',
  'gs://bucket/',
  'gs://bucket//a.csv',
  'https://host/a//b.csv',
  'https://host/',
  'https://host',
  'https://host/a%2Fb',
  'https://host/%',
])('%s does not name an object', (path) => expect(() => openObject(path, { http, env: {} })).toThrow(/name/));

test.each([
  [
    'gs://bucket/a b/c.csv',
    'https://storage.googleapis.com/bucket/a%20b/c.csv',
    'gs+https://bucket.storage.googleapis.com/a%20b/c.csv',
  ],
  [
    's3://bucket/c.csv',
    'https://bucket.s3.eu-central-1.amazonaws.com/c.csv',
    's3://https://s3.amazonaws.com/bucket/c.csv',
  ],
])('%s has the same URL in all spellings', (path, ...others) => {
  const urlOf = (spelling: string, region?: string): string =>
    objectUrl(openObject(spelling, { http, env: {}, region }));
  for (const other of [...others, path]) expect(urlOf(other)).toBe(path);
  expect(urlOf(path, 'us-west-2')).toBe(path);
});
