import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InfoError } from '../../lib/base/errors.ts';
import {
  locateChunks,
  parseSharding,
  shardFileName,
  type ShardingSpec,
} from '../../lib/precomputed/sharding.ts';
import { bigintsOf, naiveLocation, pairsOf } from './sharding-naive.ts';
import { vectors } from './sharding-vectors.ts';
import { rounds } from '../support/rounds.ts';

const JSON_SPEC = {
  '@type': 'neuroglancer_uint64_sharded_v1',
  hash: 'murmurhash3_x86_128',
  preshift_bits: 1,
  minishard_bits: 2,
  shard_bits: 3,
  minishard_index_encoding: 'gzip',
  data_encoding: 'gzip',
};
const SPEC: ShardingSpec = {
  hash: 'identity',
  preshiftBits: 0,
  minishardBits: 0,
  shardBits: 0,
  minishardIndexEncoding: 'raw',
  dataEncoding: 'raw',
};
const WHERE = 'scales[1] of the info at https://host/volume';

function errorOf(json: unknown): InfoError {
  try {
    parseSharding(json, WHERE, 'https://host/volume');
  } catch (error) {
    if (error instanceof InfoError) return error;
    throw error;
  }
  throw new Error('parsed');
}

describe('parseSharding', () => {
  test('reads every member', () => {
    expect(parseSharding(JSON_SPEC, WHERE)).toEqual({
      hash: 'murmurhash3_x86_128',
      preshiftBits: 1,
      minishardBits: 2,
      shardBits: 3,
      minishardIndexEncoding: 'gzip',
      dataEncoding: 'gzip',
    });
  });

  test('uses raw if there is no encoding, and ignores unknown members', () => {
    const json = { ...JSON_SPEC, minishard_index_encoding: undefined, data_encoding: undefined, more: {} };
    expect(parseSharding(JSON.parse(JSON.stringify(json)), WHERE)).toMatchObject({
      minishardIndexEncoding: 'raw',
      dataEncoding: 'raw',
    });
  });

  test.each([
    { preshift_bits: 0, minishard_bits: 0, shard_bits: 0 },
    { preshift_bits: 64, minishard_bits: 48, shard_bits: 16 },
    { preshift_bits: 63, minishard_bits: 0, shard_bits: 64 },
  ])('reads %j', (bits) => {
    const { preshiftBits, minishardBits, shardBits } = parseSharding({ ...JSON_SPEC, ...bits }, WHERE);
    expect({ preshift_bits: preshiftBits, minishard_bits: minishardBits, shard_bits: shardBits }).toEqual(
      bits,
    );
  });

  const required = ['@type', 'hash', 'preshift_bits', 'minishard_bits', 'shard_bits'] as const;
  test.each(required.flatMap((field) => [undefined, null, true].map((value) => ({ field, value }))))(
    'throws BAD_INFO for $field: $value',
    ({ field, value }) => {
      const { code, message, url } = errorOf({ ...JSON_SPEC, [field]: value });
      expect({ code, url }).toEqual({ code: 'BAD_INFO', url: 'https://host/volume' });
      expect(message.startsWith(`${WHERE}: sharding.${field}: `)).toBe(true);
    },
  );

  test.each([
    ['preshift_bits', -1],
    ['preshift_bits', 65],
    ['minishard_bits', -1],
    ['minishard_bits', 65],
    ['shard_bits', 1.5],
    ['shard_bits', '3'],
    ['shard_bits', 65],
    ['shard_bits', 63], // + 2 minishard bits
    ['minishard_index_encoding', null],
    ['data_encoding', 5],
  ])('throws BAD_INFO for %s: %j', (field, value) => {
    const { code, message } = errorOf({ ...JSON_SPEC, [field]: value });
    expect(code).toBe('BAD_INFO');
    expect(message).toContain(`sharding.${field}`);
  });

  test.each([
    ['@type', 'neuroglancer_uint64_sharded_v2'],
    ['hash', 'murmurhash3_x64_128'],
    ['minishard_index_encoding', 'zstd'],
    ['data_encoding', 'br'],
    ['minishard_bits', 49],
  ])('throws UNSUPPORTED for %s: %j', (field, value) => {
    const { code, message } = errorOf({ ...JSON_SPEC, [field]: value });
    expect(code).toBe('UNSUPPORTED');
    expect(message).toContain(`sharding.${field}`);
  });

  test.each([[null], ['gzip'], [[]], [4]])('throws BAD_INFO for %j', (json) => {
    const { code, message } = errorOf(json);
    expect(code).toBe('BAD_INFO');
    expect(message.startsWith(`${WHERE}: sharding`)).toBe(true);
  });
});

/** Returns the file and the minishard of each ID. */
function located(
  spec: ShardingSpec,
  ids: readonly bigint[],
): { file: string; minishard: number; shard: bigint }[] {
  const { shards, minishards } = locateChunks(spec, pairsOf(ids));
  return bigintsOf(shards).map((shard, k) => ({
    file: shardFileName(spec, shards[2 * k], shards[2 * k + 1]),
    minishard: minishards[k],
    shard,
  }));
}

describe('locateChunks and shardFileName', () => {
  test.each(vectors.locations)(
    'agree with cloud-volume: $hash $preshift_bits $minishard_bits $shard_bits',
    (location) => {
      const spec: ShardingSpec = {
        ...SPEC,
        hash: location.hash,
        preshiftBits: location.preshift_bits,
        minishardBits: location.minishard_bits,
        shardBits: location.shard_bits,
      };
      const found = located(
        spec,
        location.chunks.map(([id]) => BigInt(id)),
      );
      expect(found.map(({ file, minishard }) => [file, minishard])).toEqual(
        location.chunks.map(([, file, minishard]) => [file, minishard]),
      );
    },
  );

  test.each([
    [0, 0n, '0.shard'],
    [1, 1n, '1.shard'],
    [4, 15n, 'f.shard'],
    [5, 11n, '0b.shard'],
    [33, 1n, '000000001.shard'],
    [33, 2n ** 32n + 0xabcn, '100000abc.shard'],
    [64, 2n ** 64n - 1n, 'ffffffffffffffff.shard'],
  ])('name the file, with %i shard bits, of shard %s: %s', (shardBits, shard, file) => {
    const [low, high] = pairsOf([shard]);
    expect(shardFileName({ ...SPEC, shardBits }, low, high)).toBe(file);
  });

  test('equal the definition for any valid bits', () => {
    const bits = fc
      .tuple(fc.integer({ min: 0, max: 64 }), fc.integer({ min: 0, max: 48 }))
      .chain(([preshiftBits, minishardBits]) =>
        fc.record({
          hash: fc.constantFrom('identity' as const, 'murmurhash3_x86_128' as const),
          preshiftBits: fc.constant(preshiftBits),
          minishardBits: fc.constant(minishardBits),
          shardBits: fc.integer({ min: 0, max: 64 - minishardBits }),
        }),
      );
    const ids = fc.array(
      fc.oneof(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.constantFrom(0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 64n - 1n),
      ),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(bits, ids, (chosen, wanted) => {
        const spec = { ...SPEC, ...chosen };
        const expected = wanted.map((id) => naiveLocation(spec, id));
        expect(located(spec, wanted)).toEqual(
          expected.map(({ file, shard, minishard }) => ({ file, shard, minishard: Number(minishard) })),
        );
      }),
      { seed: 4, numRuns: rounds(1000) },
    );
  });
});
