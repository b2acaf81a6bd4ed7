/** What a store of the user's own may answer, through the public API: nothing stored, an object, or a TypeError that names the key. */
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

/** What the point (1, 0, 0) gets when a store answers this for its chunk. */
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

describe("a store of the user's own", () => {
  test.each(
    ['raw', 'compressed_segmentation', 'compresso', 'crackle'].flatMap((encoding) =>
      [undefined, null].map((answer) => ({ encoding, answer })),
    ),
  )('that gives $answer has no such chunk: $encoding', async ({ encoding, answer }) =>
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
      'null for what it does not know',
      { bytes: chunk(), contentEncoding: null, range: null, totalBytes: null, validator: null },
    ],
    ['a range that is everything', { bytes: chunk(), range: { start: 0, end: 32 }, totalBytes: 32 }],
    ['no coding, in words', { bytes: chunk(), contentEncoding: 'Identity' }],
  ];
  test.each(right)('may give %s', async (_, answer) =>
    expect(await answerOf(answer)).toEqual({ status: 'ok', value: 101, error: undefined }),
  );

  const wrong: [string, unknown, string][] = [
    [
      'a Uint8Array alone',
      chunk(),
      'gave an object whose bytes are undefined: give { bytes: Uint8Array }, or undefined where nothing is stored',
    ],
    [
      'an ArrayBuffer',
      { bytes: chunk().buffer },
      'gave an object whose bytes are an ArrayBuffer: give { bytes: Uint8Array }, or undefined where nothing is stored',
    ],
    [
      'other words',
      { bytes: new Uint32Array(8) },
      'gave an object whose bytes are an Uint32Array: give { bytes: Uint8Array }, or undefined where nothing is stored',
    ],
    [
      'a text',
      'secret text',
      'gave a string: give { bytes: Uint8Array }, or undefined where nothing is stored',
    ],
    ['false', false, 'gave a boolean: give { bytes: Uint8Array }, or undefined where nothing is stored'],
    [
      'a promise of a number',
      Promise.resolve(7),
      'gave a number: give { bytes: Uint8Array }, or undefined where nothing is stored',
    ],
    [
      'an object without bytes',
      {},
      'gave an object whose bytes are undefined: give { bytes: Uint8Array }, or undefined where nothing is stored',
    ],
    [
      'bytes that are null',
      { bytes: null },
      'gave an object whose bytes are null: give { bytes: Uint8Array }, or undefined where nothing is stored',
    ],
    [
      'a list of codings',
      { bytes: chunk(), contentEncoding: ['gzip'] },
      "gave a contentEncoding that is an Array: give a text such as 'gzip', or undefined",
    ],
    [
      'a date for a validator',
      { bytes: chunk(), validator: new Date(0) },
      'gave a validator that is a Date: give a text, or undefined',
    ],
    [
      'a size in text',
      { bytes: chunk(), totalBytes: '32' },
      'gave totalBytes that are a string: give the size of the whole object, or undefined',
    ],
    [
      'a part that nobody asked for',
      { bytes: chunk(), range: { start: 32, end: 64 } },
      'gave bytes 32 to 64 where all were asked for',
    ],
    [
      'a range that is not that of its bytes',
      { bytes: chunk(), range: { start: 0, end: 31 } },
      'gave 32 bytes and says that they are those of a range 0 to 31: give { start, end } of just these bytes',
    ],
  ];
  test.each(wrong)('may not give %s: the chunk fails with a TypeError', async (_, answer, what) => {
    const { status, value, error } = await answerOf(answer);
    expect([status, value]).toEqual(['failed', 0]);
    expect(error!.cause).toBeInstanceOf(TypeError);
    expect((error!.cause as Error).message).toBe(`storage.read("${CHUNK}") ${what}`);
    expect(error!.message).toContain(`storage.read("${CHUNK}") ${what}`);
  });

  test('that gives no answer for the info does not open', async () => {
    const open = (answer: unknown) =>
      openPrecomputed('mem://any/thing', {
        storage: { url: 'own://store', read: () => answer } as unknown as Store,
      });
    await expect(open(null)).rejects.toMatchObject({ name: 'InfoError', code: 'NOT_FOUND' });
    await expect(open({ bytes: 'x' })).rejects.toThrow(
      new TypeError(
        'storage.read("info") gave an object whose bytes are a string: give { bytes: Uint8Array }, or undefined where nothing is stored',
      ),
    );
  });

  describe('asked for bytes 4 to 8', () => {
    const ask = (answer: object, options: ReadOptions = {}) =>
      new CheckedStore({ url: 'own://store', read: () => Promise.resolve(answer as never) }).read('k', {
        range: { start: 4, end: 8 },
        ...options,
      });
    const four = Uint8Array.of(4, 5, 6, 7);

    test.each([
      ['them', { bytes: four, range: { start: 4, end: 8 }, totalBytes: 100 }],
      ['them, of an unknown size', { bytes: four, range: { start: 4, end: 8 } }],
      ['all up to the end', { bytes: four.subarray(2), range: { start: 4, end: 6 }, totalBytes: 6 }],
      ['the whole object', { bytes: new Uint8Array(100) }],
    ])('may give %s', async (_, answer) =>
      expect(await ask(answer)).toEqual({
        ...answer,
        contentEncoding: undefined,
        ...('range' in answer && { totalBytes: (answer as { totalBytes?: number }).totalBytes }),
      }),
    );

    test.each([
      ['more', { bytes: new Uint8Array(6), range: { start: 4, end: 10 } }],
      ['others', { bytes: four, range: { start: 8, end: 12 } }],
      ['fewer, before the end', { bytes: four.subarray(2), range: { start: 4, end: 6 }, totalBytes: 100 }],
      ['bytes beyond the end', { bytes: four, range: { start: 4, end: 8 }, totalBytes: 6 }],
    ])('may not give %s', async (_, answer) => {
      await expect(ask(answer)).rejects.toThrow(
        /^storage\.read\("k"\) gave bytes \d+ to \d+( of \d+)? where 4 to 8 were asked for$/,
      );
      await expect(ask(answer)).rejects.toBeInstanceOf(TypeError);
    });

    test('is not said to be unchanged where nobody asked', async () => {
      expect(await ask({ bytes: four, notModified: true })).not.toHaveProperty('notModified');
      expect(await ask({ bytes: four, notModified: true }, { ifNoneMatch: '"x"' })).toHaveProperty(
        'notModified',
        true,
      );
    });
  });
});
