import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DecodeError } from '../../lib/base/errors.ts';
import {
  decodeMinishardIndex,
  findChunk,
  minishardIndexRange,
  shardIndexBytes,
} from '../../lib/precomputed/shard-index.ts';
import type { ShardingSpec } from '../../lib/precomputed/sharding.ts';
import { bigintsOf, naiveMinishard, naiveMinishardRange, pairsOf, type Span } from './sharding-naive.ts';
import { rounds } from '../support/rounds.ts';

const specOf = (minishardBits: number): ShardingSpec => ({
  hash: 'identity',
  preshiftBits: 0,
  minishardBits,
  shardBits: 0,
  minishardIndexEncoding: 'raw',
  dataEncoding: 'raw',
});

/** Writes uint64 values, little-endian, modulo 2^64 (so they may be negative), at an odd `byteOffset`. */
function uint64s(...values: (bigint | number)[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length + 3).subarray(3);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  values.forEach((value, i) => view.setBigUint64(8 * i, BigInt.asUintN(64, BigInt(value)), true));
  return bytes;
}

/** Returns the result of a call, or the code of its DecodeError. Any other error fails the test. */
function outcome<T>(call: () => T): T | DecodeError['code'] {
  try {
    return call();
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}

function errorOf(call: () => unknown): Pick<DecodeError, 'code' | 'message'> {
  try {
    call();
  } catch (error) {
    if (error instanceof DecodeError) return { code: error.code, message: error.message };
  }
  throw new Error('expected a DecodeError');
}

/** Converts the result of `decodeMinishardIndex` to the form of the naive implementation. */
function chunksOf(bytes: Uint8Array, spec: ShardingSpec): Map<bigint, Span> {
  const { ids, starts, ends } = decodeMinishardIndex(bytes, spec, 0);
  return new Map(bigintsOf(ids).map((id, i) => [id, [BigInt(starts[i]), BigInt(ends[i])]]));
}

describe('minishardIndexRange', () => {
  const spec = specOf(2); // 64 bytes of shard index
  const index = uint64s(0, 5, 7, 7, 100, 2n ** 53n - 65n, 2n ** 64n - 1n, 2n ** 64n - 1n);

  test.each([
    [0, { start: 64, end: 69 }],
    [1, undefined],
    [2, { start: 164, end: 2 ** 53 - 1 }],
    [3, undefined],
  ])('returns for minishard %i: %j', (minishard, range) =>
    expect(minishardIndexRange(index, spec, minishard)).toEqual(range),
  );

  test('reads a part of the shard index', () => {
    expect(minishardIndexRange(index.subarray(32, 48), spec, 2, 2)).toEqual({ start: 164, end: 2 ** 53 - 1 });
    expect(minishardIndexRange(index.subarray(16), spec, 1, 1)).toBeUndefined();
  });

  test('counts from the end of a shard index that is far longer than 2^32 bytes', () => {
    expect(minishardIndexRange(uint64s(1, 3), specOf(40), 2 ** 39, 2 ** 39)).toEqual({
      start: 2 ** 44 + 1,
      end: 2 ** 44 + 3,
    });
  });

  test.each([
    ['an end before its start', 6n, 5n],
    ['an end at 2^53', 0n, 2n ** 53n - 64n],
    ['a start and an end that differ only beyond double precision', 2n ** 60n, 2n ** 60n + 1n],
    ['a start of 2^64 - 1', 2n ** 64n - 1n, 0n],
  ])('throws BAD_HEADER for %s, and names the minishard', (_, start, end) => {
    const { code, message } = errorOf(() =>
      minishardIndexRange(uint64s(0, 0, 0, 0, 0, 0, start, end), spec, 3),
    );
    expect(code).toBe('BAD_HEADER');
    expect(message.startsWith('minishard 3: ')).toBe(true);
  });

  test('throws TRUNCATED only for a minishard past the end of the bytes', () => {
    expect(minishardIndexRange(index.subarray(0, 63), spec, 2)).toEqual({ start: 164, end: 2 ** 53 - 1 });
    const { code, message } = errorOf(() => minishardIndexRange(index.subarray(0, 63), spec, 3));
    expect(code).toBe('TRUNCATED');
    expect(message.startsWith('minishard 3: ')).toBe(true);
  });

  test('follows a shard index of 16 bytes per minishard (shardIndexBytes)', () => {
    expect([0, 1, 10, 48].map((bits) => shardIndexBytes(specOf(bits)))).toEqual([16, 32, 16_384, 2 ** 52]);
  });
});

describe('decodeMinishardIndex', () => {
  const spec = specOf(0); // 16 bytes of shard index

  test('adds up the differences of IDs, and the offsets from the end of the chunk before', () => {
    const bytes = uint64s(3, 4, 2n ** 40n, /* gaps */ 10, 0, 5, /* sizes */ 100, 50, 0);
    expect(decodeMinishardIndex(bytes, spec, 0)).toEqual({
      ids: Uint32Array.of(3, 0, 7, 0, 7, 256),
      starts: Float64Array.of(26, 126, 181),
      ends: Float64Array.of(126, 176, 181),
    });
  });

  test('carries IDs past 2^32 and up to 2^64 - 1', () => {
    const bytes = uint64s(0xffffffff, 1, 2n ** 64n - 2n ** 32n - 1n, 0, 0, 0, 1, 1, 1);
    expect(bigintsOf(decodeMinishardIndex(bytes, spec, 0).ids)).toEqual([
      2n ** 32n - 1n,
      2n ** 32n,
      2n ** 64n - 1n,
    ]);
  });

  test('sorts chunks that are listed in any order, each with its own range', () => {
    const bytes = uint64s(9, -4, 2n ** 33n, -(2n ** 33n) - 3n, 0, 0, 0, 0, 10, 20, 30, 40);
    expect(decodeMinishardIndex(bytes, spec, 0)).toEqual({
      ids: Uint32Array.of(2, 0, 5, 0, 9, 0, 5, 2),
      starts: Float64Array.of(76, 26, 16, 46),
      ends: Float64Array.of(116, 46, 26, 76),
    });
  });

  test('reads chunks that are stored in another order than listed, with negative gaps', () => {
    const { starts, ends } = decodeMinishardIndex(uint64s(1, 1, 100, -110, 10, 100), spec, 0);
    expect([...starts, ...ends]).toEqual([116, 16, 126, 116]);
  });

  test('reads an index of no chunks', () => {
    expect(decodeMinishardIndex(new Uint8Array(0), spec, 0)).toEqual({
      ids: new Uint32Array(0),
      starts: new Float64Array(0),
      ends: new Float64Array(0),
    });
  });

  test.each([
    ['the same ID twice in a row', uint64s(7, 0, 0, 0, 1, 1)],
    ['the same ID twice, apart', uint64s(7, 1, -1, 0, 0, 0, 1, 1, 1)],
    ['a chunk that starts in the shard index', uint64s(7, -1, 1)],
    ['a chunk that starts in the shard index, after others', uint64s(7, 1, 0, -6, 5, 9)],
    ['a chunk that ends at 2^53', uint64s(7, 0, 2n ** 53n - 16n)],
    ['a chunk that starts past 2^53', uint64s(7, 2n ** 62n, 1)],
    ['a size of 2^64 - 1', uint64s(7, 8, 2n ** 64n - 1n)],
  ])('throws BAD_HEADER for %s, and names the minishard', (_, bytes) => {
    const { code, message } = errorOf(() => decodeMinishardIndex(bytes, spec, 5));
    expect(code).toBe('BAD_HEADER');
    expect(message.startsWith('minishard 5: ')).toBe(true);
  });

  test('reads a chunk that ends just below 2^53', () => {
    expect(chunksOf(uint64s(7, 0, 2n ** 53n - 17n), spec)).toEqual(new Map([[7n, [16n, 2n ** 53n - 1n]]]));
  });

  test.each([1, 8, 23, 25, 47])('throws TRUNCATED for %i bytes, and names the minishard', (length) => {
    const { code, message } = errorOf(() => decodeMinishardIndex(new Uint8Array(length), spec, 5));
    expect(code).toBe('TRUNCATED');
    expect(message.startsWith('minishard 5: ')).toBe(true);
  });
});

describe('findChunk', () => {
  const ids = [0n, 1n, 5n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 5n, 3n * 2n ** 32n, 2n ** 64n - 1n];
  const { bytes } = encode(ids.map((id, i) => ({ id, gap: 1n, size: BigInt(i) })));
  const index = decodeMinishardIndex(bytes, specOf(0), 0);
  const find = (id: bigint): unknown => findChunk(index, pairsOf([id])[0], pairsOf([id])[1]);

  test('finds every chunk', () => {
    const expected = naiveMinishard(bytes, specOf(0)) as Map<bigint, Span>;
    expect(ids.map(find)).toEqual(
      ids.map((id) => ({ start: Number(expected.get(id)![0]), end: Number(expected.get(id)![1]) })),
    );
  });

  test.each([2n, 4n, 6n, 2n ** 32n + 1n, 2n ** 33n, 2n ** 33n + 5n, 2n ** 64n - 2n])(
    'does not find %s',
    (id) => expect(find(id)).toBeUndefined(),
  );

  test('finds nothing in an empty index', () => {
    expect(findChunk(decodeMinishardIndex(new Uint8Array(0), specOf(0), 0), 0, 0)).toBeUndefined();
  });
});

interface Entry {
  id: bigint;
  gap: bigint;
  size: bigint;
}

function encode(entries: readonly Entry[]): { bytes: Uint8Array } {
  const differences = entries.map(({ id }, i) => id - (i > 0 ? entries[i - 1].id : 0n));
  return {
    bytes: uint64s(...differences, ...entries.map(({ gap }) => gap), ...entries.map(({ size }) => size)),
  };
}

describe('a hostile index', () => {
  /** Small values, sums near 2^53, and arbitrary ones: most mutated entries stay nearly valid. */
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.bigInt({ min: -5n, max: 300n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 53n - 300n, max: 2n ** 53n + 5n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  );
  const mutation = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 2 });
  const cut = fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(200) },
  );
  const minishardBits = fc.constantFrom(0, 1, 3, 20, 48);

  function mutate(
    bytes: Uint8Array,
    flips: readonly [number, number][],
    length: number | undefined,
  ): Uint8Array {
    for (const [at, bits] of flips) if (bytes.length > 0) bytes[at % bytes.length] ^= bits;
    return length === undefined ? bytes : bytes.subarray(0, length);
  }

  test('of a minishard gives the ranges or the error of the definition', () => {
    const entry = fc.record({
      id: fc.oneof(fc.bigInt({ min: 0n, max: 12n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      gap: word,
      size: word,
    });
    const seen = { decoded: 0, TRUNCATED: 0, BAD_HEADER: 0 };
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 6 }),
        fc.boolean(),
        mutation,
        cut,
        minishardBits,
        (entries, ordered, flips, length, bits) => {
          if (ordered) entries.sort((a, b) => (a.id < b.id ? -1 : 1));
          const bytes = mutate(encode(entries).bytes, flips, length);
          const spec = specOf(bits);
          const found = outcome(() => chunksOf(bytes, spec));
          expect(found).toEqual(naiveMinishard(bytes, spec));
          seen[typeof found === 'string' ? (found as 'TRUNCATED') : 'decoded']++;
          if (typeof found === 'string') return;
          const ids = [...found.keys()];
          expect(ids.every((id, i) => i === 0 || ids[i - 1] < id)).toBe(true);
        },
      ),
      { seed: 4, numRuns: rounds(2000) },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(rounds(130));
  });

  test('of a shard gives the ranges or the error of the definition', () => {
    const seen = { range: 0, empty: 0, TRUNCATED: 0, BAD_HEADER: 0 };
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 2, maxLength: 8 }),
        mutation,
        cut,
        minishardBits,
        fc.nat(4),
        (words, flips, length, bits, minishard) => {
          const bytes = mutate(uint64s(...words), flips, length);
          const found = outcome(() => minishardIndexRange(bytes, specOf(bits), minishard));
          const expected = naiveMinishardRange(bytes, specOf(bits), minishard);
          expect(found).toEqual(
            Array.isArray(expected)
              ? { start: Number(expected[0]), end: Number(expected[1]) }
              : (expected ?? undefined),
          );
          seen[
            found === undefined ? 'empty' : typeof found === 'string' ? (found as 'TRUNCATED') : 'range'
          ]++;
        },
      ),
      { seed: 4, numRuns: rounds(1500) },
    );
    expect(Math.min(seen.range, seen.BAD_HEADER, seen.TRUNCATED)).toBeGreaterThan(rounds(150));
  });
});
