/**
 * Stores that the user wrote, through the public API. A wrong answer gives a TypeError that names the key.
 */
import { describe, expect, test } from '@jest/globals';
import { openPrecomputed, statusText, type ReadOptions } from '../../lib/index.ts';
import { CheckedStore } from '../../lib/storage/checked-store.ts';
import type { Store } from '../../lib/storage/store.ts';

const CHUNK = 'a/0-2_0-2_0-2';
const info = (encoding: string): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      type: 'segmentation',
      data_type: 'uint32',
      num_channels: 1,
      scales: [
        {
          key: 'a',
          size: [2, 2, 2],
          resolution: [1, 1, 1],
          chunk_sizes: [[2, 2, 2]],
          encoding,
          compressed_segmentation_block_size: [8, 8, 8],
        },
      ],
    }),
  );
const chunk = (): Uint8Array => new Uint8Array(Uint32Array.from({ length: 8 }, (_, i) => 100 + i).buffer);

/** Returns the result of the point (1, 0, 0) if the store gives this answer for its chunk. */
async function answerOf(
  answer: unknown,
  encoding = 'raw',
): Promise<{ status: string; value: unknown; error: Error | undefined }> {
  const storage = {
    url: 'own://store',
    read: (key: string) => (key === 'info' ? { bytes: info(encoding) } : answer),
  } as unknown as Store;
  await using volume = await openPrecomputed('mem://any/thing', { storage });
  const result = await volume.scatteredPoints([[1, 0, 0]], { onError: 'status' });
  const [row] = [...result.rows()];
  return { status: statusText(result.status[0]), value: row.values[0], error: row.error };
}

describe('a store that the user wrote', () => {
  test.each(
    ['raw', 'compressed_segmentation', 'compresso', 'crackle'].flatMap((encoding) =>
      [undefined, null].map((answer) => ({ encoding, answer })),
    ),
  )('that returns $answer does not have the chunk: $encoding', async ({ encoding, answer }) =>
    expect(await answerOf(answer, encoding)).toEqual({ status: 'missing_chunk', value: 0, error: undefined }),
  );

  const right: [string, unknown][] = [
    ['a Uint8Array', { bytes: chunk() }],
    ['a Buffer', { bytes: Buffer.from(chunk()) }],
    [
      'a view into something larger',
      { bytes: new Uint8Array([...new Uint8Array(4), ...chunk()]).subarray(4) },
    ],
    ['a promise', Promise.resolve({ bytes: chunk() })],
    [
      'null for unknown fields',
      { bytes: chunk(), contentEncoding: null, range: null, totalBytes: null, validator: null },
    ],
    ['a range that is the whole object', { bytes: chunk(), range: { start: 0, end: 32 }, totalBytes: 32 }],
    ['the encoding "identity"', { bytes: chunk(), contentEncoding: 'Identity' }],
  ];
  test.each(right)('may return %s', async (_, answer) =>
    expect(await answerOf(answer)).toEqual({ status: 'ok', value: 101, error: undefined }),
  );

  const wrong: [string, unknown, string][] = [
    [
      'a Uint8Array alone',
      chunk(),
      'returned an object whose bytes are undefined; expected { bytes: Uint8Array }, or undefined if nothing is stored',
    ],
    [
      'an ArrayBuffer',
      { bytes: chunk().buffer },
      'returned an object whose bytes are an ArrayBuffer; expected { bytes: Uint8Array }, or undefined if nothing is stored',
    ],
    [
      'another typed array',
      { bytes: new Uint32Array(8) },
      'returned an object whose bytes are an Uint32Array; expected { bytes: Uint8Array }, or undefined if nothing is stored',
    ],
    [
      'a text',
      'secret text',
      'returned a string; expected { bytes: Uint8Array }, or undefined if nothing is stored',
    ],
    ['false', false, 'returned a boolean; expected { bytes: Uint8Array }, or undefined if nothing is stored'],
    [
      'a promise of a number',
      Promise.resolve(7),
      'returned a number; expected { bytes: Uint8Array }, or undefined if nothing is stored',
    ],
    [
      'an object without bytes',
      {},
      'returned an object whose bytes are undefined; expected { bytes: Uint8Array }, or undefined if nothing is stored',
    ],
    [
      'bytes that are null',
      { bytes: null },
      'returned an object whose bytes are null; expected { bytes: Uint8Array }, or undefined if nothing is stored',
    ],
    [
      'a list of encodings',
      { bytes: chunk(), contentEncoding: ['gzip'] },
      "returned a contentEncoding that is an Array; expected a string such as 'gzip', or undefined",
    ],
    [
      'a date as the validator',
      { bytes: chunk(), validator: new Date(0) },
      'returned a validator that is a Date; expected a string, or undefined',
    ],
    [
      'a size as text',
      { bytes: chunk(), totalBytes: '32' },
      'returned totalBytes that is a string; expected the size of the whole object, or undefined',
    ],
    [
      'a part that was not requested',
      { bytes: chunk(), range: { start: 32, end: 64 } },
      'returned bytes 32 to 64, but the whole object was requested',
    ],
    [
      'a range that does not match its bytes',
      { bytes: chunk(), range: { start: 0, end: 31 } },
      'returned 32 bytes with the range 0 to 31; expected the range { start, end } of exactly these bytes',
    ],
  ];
  test.each(wrong)('may not return %s: the chunk fails with a TypeError', async (_, answer, what) => {
    const { status, value, error } = await answerOf(answer);
    expect([status, value]).toEqual(['failed', 0]);
    expect(error!.cause).toBeInstanceOf(TypeError);
    expect((error!.cause as Error).message).toBe(`storage.read("${CHUNK}") ${what}`);
    expect(error!.message).toContain(`storage.read("${CHUNK}") ${what}`);
  });

  test('without an info cannot be opened', async () => {
    const open = (answer: unknown) =>
      openPrecomputed('mem://any/thing', {
        storage: { url: 'own://store', read: () => answer } as unknown as Store,
      });
    await expect(open(null)).rejects.toMatchObject({ name: 'InfoError', code: 'NOT_FOUND' });
    await expect(open({ bytes: 'x' })).rejects.toThrow(
      new TypeError(
        'storage.read("info") returned an object whose bytes are a string; expected { bytes: Uint8Array }, or undefined if nothing is stored',
      ),
    );
  });

  describe('that receives a request for bytes 4 to 8', () => {
    const readPart = (answer: object, options: ReadOptions = {}) =>
      new CheckedStore({ url: 'own://store', read: () => Promise.resolve(answer as never) }).read('k', {
        range: { start: 4, end: 8 },
        ...options,
      });
    const four = Uint8Array.of(4, 5, 6, 7);

    test.each([
      ['these bytes', { bytes: four, range: { start: 4, end: 8 }, totalBytes: 100 }],
      ['these bytes of an object of unknown size', { bytes: four, range: { start: 4, end: 8 } }],
      ['all bytes up to the end', { bytes: four.subarray(2), range: { start: 4, end: 6 }, totalBytes: 6 }],
      ['the whole object', { bytes: new Uint8Array(100) }],
    ])('may return %s', async (_, answer) =>
      expect(await readPart(answer)).toEqual({
        ...answer,
        contentEncoding: undefined,
        ...('range' in answer && { totalBytes: (answer as { totalBytes?: number }).totalBytes }),
      }),
    );

    test.each([
      ['more bytes', { bytes: new Uint8Array(6), range: { start: 4, end: 10 } }],
      ['other bytes', { bytes: four, range: { start: 8, end: 12 } }],
      [
        'fewer bytes before the end',
        { bytes: four.subarray(2), range: { start: 4, end: 6 }, totalBytes: 100 },
      ],
      ['bytes beyond the end', { bytes: four, range: { start: 4, end: 8 }, totalBytes: 6 }],
    ])('may not return %s', async (_, answer) => {
      await expect(readPart(answer)).rejects.toThrow(
        /^storage\.read\("k"\) returned bytes \d+ to \d+( of \d+)?, but 4 to 8 were requested$/,
      );
      await expect(readPart(answer)).rejects.toBeInstanceOf(TypeError);
    });

    test('may report an unchanged object only if the request has ifNoneMatch', async () => {
      expect(await readPart({ bytes: four, notModified: true })).not.toHaveProperty('notModified');
      expect(await readPart({ bytes: four, notModified: true }, { ifNoneMatch: '"x"' })).toHaveProperty(
        'notModified',
        true,
      );
    });
  });
});
