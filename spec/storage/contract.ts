/** The contract of a store: tests that every backend must pass. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { newMeter, type Store } from '../../lib/storage/store.ts';

/** The objects that the spec of a backend stores before the tests. Nothing else may be stored. */
export const OBJECTS: { key: string; bytes: Uint8Array; contentEncoding?: 'gzip' | 'br' | 'zstd' }[] = [
  { key: 'info', bytes: Uint8Array.from({ length: 100 }, (_, k) => k) },
  { key: '8_8_40/0-64_0-64_0-16', bytes: Uint8Array.of(1, 2, 3) },
  { key: 'empty', bytes: new Uint8Array(0) },
  { key: 'odd/a b%20c#d?e=f&g+h;i\u00e9\u{1f9e0}', bytes: Uint8Array.of(7) },
  { key: 'enc/gzip', bytes: Uint8Array.of(0x1f, 0x8b, 9), contentEncoding: 'gzip' },
  { key: 'enc/br', bytes: Uint8Array.of(5, 6), contentEncoding: 'br' },
  { key: 'enc/zstd', bytes: Uint8Array.of(0x28, 0xb5), contentEncoding: 'zstd' },
];

/** Declares the tests that every backend must pass. */
export function describeStore(name: string, openFilled: () => Promise<Store> | Store): void {
  describe(`${name}: Store`, () => {
    let store: Store;
    beforeAll(async () => void (store = await openFilled()));
    const info = OBJECTS[0].bytes;

    test.each(OBJECTS)('reads $key', async ({ key, bytes, contentEncoding }) => {
      const object = (await store.read(key))!;
      expect([[...object.bytes], object.contentEncoding, object.range]).toEqual([
        [...bytes],
        contentEncoding,
        undefined,
      ]);
    });
    test.each(['missing', 'odd/missing', 'info/below', 'enc/gzip/below'])('has nothing at %s', async (key) =>
      expect(await store.read(key)).toBeUndefined(),
    );
    test('has nothing in a range of a missing key', async () =>
      expect(await store.read('missing', { range: { start: 0, end: 5 } })).toBeUndefined());
    test('has nothing at a missing key with absentBy403', async () =>
      expect(await store.read('missing', { absentBy403: true })).toBeUndefined());

    test.each([
      ['in the middle', 'info', 10, 20, 20],
      ['at the start', 'info', 0, 1, 1],
      ['to the end', 'info', 99, 100, 100],
      ['cut at the end', 'info', 90, 1000, 100],
      ['of everything', 'info', 0, 100, 100],
    ])('reads a range %s', async (_name, key, start, end, last) => {
      const object = (await store.read(key, { range: { start, end } }))!;
      expect([[...object.bytes], object.range]).toEqual([
        [...info.subarray(start, last)],
        { start, end: last },
      ]);
    });
    test('reads a range of the stored bytes', async () => {
      const object = (await store.read('enc/gzip', { range: { start: 1, end: 3 } }))!;
      expect([[...object.bytes], object.contentEncoding]).toEqual([[0x8b, 9], 'gzip']);
    });
    test.each([
      ['at the end', 'info', 100, 101],
      ['beyond the end', 'info', 1000, 1010],
      ['of an empty object', 'empty', 0, 1],
    ])('refuses a range %s', async (_name, key, start, end) => {
      await expect(store.read(key, { range: { start, end } })).rejects.toMatchObject({
        name: 'RequestError',
        code: 'BAD_RESPONSE',
      });
    });
    test('answers a range of zero bytes without a request', async () => {
      const meter = newMeter();
      expect(await store.read('info', { range: { start: 50, end: 50 }, meter })).toMatchObject({
        bytes: new Uint8Array(0),
        range: { start: 50, end: 50 },
      });
      expect(meter).toEqual(newMeter());
    });
    test.each([
      [5, 4],
      [-1, 3],
      [0.5, 3],
      [0, NaN],
    ])('refuses the invalid range [%d, %d)', async (start, end) => {
      await expect(store.read('info', { range: { start, end } })).rejects.toThrow(RangeError);
    });

    test('counts requests and stored bytes', async () => {
      const meter = newMeter();
      await store.read('info', { meter });
      await store.read('info', { range: { start: 1, end: 11 }, meter });
      expect(meter).toEqual({ requests: 2, bytes: 110, absentBy403: 0 });
    });
    test('refuses more than maxBytes', async () => {
      await expect(store.read('info', { maxBytes: 99 })).rejects.toMatchObject({
        name: 'RequestError',
        code: 'TOO_LARGE',
      });
      expect((await store.read('info', { maxBytes: 100 }))!.bytes).toHaveLength(100);
    });

    test.each([
      '../info',
      'a/../../info',
      '..',
      '/info',
      'a//b',
      'a/',
      '',
      '.',
      'a\\b',
      '..\\info',
      'a\0b',
      'a\ud800',
    ])('refuses %j as a key', async (key) => {
      await expect(store.read(key)).rejects.toMatchObject({ name: 'PathError', code: 'BAD_PATH' });
    });
    test('ignores segments "."', async () =>
      expect((await store.read('./8_8_40/./0-64_0-64_0-16'))!.bytes).toHaveLength(3));

    test('rejects with the reason if aborted before the read', async () => {
      const reason = new Error('enough');
      await expect(store.read('info', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });
    test('has a URL without a slash at its end', () =>
      expect(store.url).toMatch(/^(file|https?|mem):\/\/.*[^/]$/));
  });
}

/** Declares the test of an abort during a read, for backends that wait. */
export function describeAbort(name: string, openFilled: () => Promise<Store> | Store): void {
  test(`${name}: Store rejects with the reason if aborted during the read`, async () => {
    const controller = new AbortController(),
      reason = new Error('enough');
    const reading = (await openFilled()).read('info', { signal: controller.signal });
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
}
