import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { SharedReads } from '../../lib/chunks/shared-reads.ts';
import { deferred, nextTurn } from '../support/stub-store.ts';

interface Value {
  bytes: number;
}

const never = new AbortController().signal;
const reads = (maxBytes = 10_000): SharedReads<Value> =>
  new SharedReads<Value>({ maxBytes, bytesOf: ({ bytes }) => bytes });
const fulfilled = (bytes: number) => ({ status: 'fulfilled', value: { bytes } });

/** Reads that wait until the test settles them. */
class Loader {
  readonly loads: {
    keys: string[];
    signal: AbortSignal;
    settle: ReturnType<typeof deferred<Value | undefined>>[];
  }[] = [];
  constructor(readonly shared: SharedReads<Value>) {}

  all(keys: string[], signal: AbortSignal = never): Promise<PromiseSettledResult<Value | undefined>[]> {
    return this.shared.readAll(
      keys,
      (missing, abort) => {
        const settle = missing.map(() => deferred<Value | undefined>());
        this.loads.push({ keys: missing.map((k) => keys[k]), signal: abort, settle });
        return settle.map(({ promise }) => promise);
      },
      signal,
    );
  }

  get keys(): string[][] {
    return this.loads.map(({ keys }) => keys);
  }
}

describe('SharedReads', () => {
  test('reads each missing value once for all callers, and keeps it', async () => {
    const loader = new Loader(reads());
    const first = loader.all(['a', 'b']),
      second = loader.all(['b', 'c']);
    expect(loader.keys).toEqual([['a', 'b'], ['c']]);
    loader.loads[0].settle[0].resolve({ bytes: 1 });
    loader.loads[0].settle[1].resolve({ bytes: 2 });
    loader.loads[1].settle[0].resolve({ bytes: 3 });
    expect(await first).toEqual([fulfilled(1), fulfilled(2)]);
    expect(await second).toEqual([fulfilled(2), fulfilled(3)]);
    expect(await loader.all(['c', 'a'])).toEqual([fulfilled(3), fulfilled(1)]);
    expect(loader.loads).toHaveLength(2);
    expect(['a', 'd'].map((key) => loader.shared.has(key))).toEqual([true, false]);
  });

  test('fails one key alone, and reads it again in the next call', async () => {
    const loader = new Loader(reads()),
      broken = new Error('broken');
    const [first, joined] = [loader.all(['a', 'b']), loader.all(['a'])];
    loader.loads[0].settle[0].reject(broken);
    loader.loads[0].settle[1].resolve({ bytes: 2 });
    expect(await first).toEqual([{ status: 'rejected', reason: broken }, fulfilled(2)]);
    expect(await joined).toEqual([{ status: 'rejected', reason: broken }]);
    void loader.all(['a', 'b']);
    expect(loader.keys).toEqual([['a', 'b'], ['a']]);
  });

  test('does not keep "not stored"', async () => {
    const loader = new Loader(reads());
    const first = loader.all(['a']);
    loader.loads[0].settle[0].resolve(undefined);
    expect(await first).toEqual([{ status: 'fulfilled', value: undefined }]);
    void loader.all(['a']);
    expect(loader.loads).toHaveLength(2);
  });

  test('ends one caller alone, and cancels the read when the last caller has ended', async () => {
    const loader = new Loader(reads()),
      [a, b] = [new AbortController(), new AbortController()],
      gone = new Error('gone');
    const first = loader.all(['x', 'y'], a.signal),
      second = loader.all(['y'], b.signal);
    a.abort(gone);
    await expect(first).rejects.toBe(gone);
    expect(loader.loads[0].signal.aborted).toBe(false);
    b.abort(gone);
    await expect(second).rejects.toBe(gone);
    expect(loader.loads[0].signal.aborted).toBe(true);
    expect([...getEventListeners(a.signal, 'abort'), ...getEventListeners(b.signal, 'abort')]).toEqual([]);
    // A later call reads again, even if the cancelled read has not ended.
    const third = loader.all(['y']);
    expect(loader.keys).toEqual([['x', 'y'], ['y']]);
    for (const { reject } of loader.loads[0].settle) reject(gone);
    await nextTurn();
    loader.loads[1].settle[0].resolve({ bytes: 5 });
    expect(await third).toEqual([fulfilled(5)]);
  });

  test('rejects a caller that was aborted before, and cancels its read', async () => {
    const loader = new Loader(reads()),
      gone = new Error('gone');
    await expect(loader.all(['x'], AbortSignal.abort(gone))).rejects.toBe(gone);
    expect(loader.loads[0].signal.aborted).toBe(true);
  });

  test('keeps its limit in bytes, and counts 256 extra bytes per value', async () => {
    const loader = new Loader(reads(1000));
    for (const [k, key] of ['a', 'b', 'c'].entries()) {
      const read = loader.all([key]);
      loader.loads[k].settle[0].resolve({ bytes: 200 });
      await read;
    }
    expect(['a', 'b', 'c'].map((key) => loader.shared.has(key))).toEqual([false, true, true]);
    const read = loader.all(['large']);
    loader.loads[3].settle[0].resolve({ bytes: 900 });
    expect(await read).toEqual([fulfilled(900)]);
    expect(loader.shared.has('large')).toBe(false);
  });
});
