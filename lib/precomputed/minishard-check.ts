/**
 * Checks that a minishard index is plausible, because raw indices have no checksum. A damaged index may list
 * chunks of other minishards, so that its own chunks seem not to be stored. Or it may list ranges that
 * overlap, so that a chunk gives the labels of another one.
 * Source: Neuroglancer, src/datasource/precomputed/sharded.md, "Sharding specification".
 */
import { DecodeError } from '../base/errors.ts';
import { formatVec3, type Vec3 } from '../base/vec3.ts';
import { codeBits, compressedMortonCodes } from './morton.ts';
import { hashInPlace } from './murmurhash.ts';
import { formatChunkId, type MinishardIndex } from './shard-index.ts';
import { shiftRight, type ShardingSpec } from './sharding.ts';

/** Where a minishard belongs in its scale. */
export interface MinishardLocation {
  /** The number of its shard: low word, high word. */
  shard: readonly [low: number, high: number];
  /** The number of the minishard in its shard. */
  minishard: number;
  /** Cells of the scale's grid along x, y, z. */
  gridShape: Vec3;
}

/**
 * Checks a minishard index.
 * @throws DecodeError BAD_HEADER if the index lists a chunk of another minishard or shard, or one outside the
 *   grid, or chunks that overlap.
 */
export function checkMinishardIndex(
  index: MinishardIndex,
  spec: ShardingSpec,
  place: MinishardLocation,
): void {
  checkMembers(index, spec, place);
  checkRanges(index, place);
}

function checkMembers({ ids }: MinishardIndex, spec: ShardingSpec, place: MinishardLocation): void {
  const isElsewhere = elsewhereTest(spec, place),
    isOutside = outsideTest(place.gridShape);
  for (let k = 0; k < ids.length; k += 2) {
    const low = ids[k],
      high = ids[k + 1];
    const why = isElsewhere(low, high)
      ? 'belongs to another minishard'
      : isOutside(low, high)
        ? `is outside the grid of ${formatVec3(place.gridShape)} chunks`
        : undefined;
    if (why !== undefined)
      throw new DecodeError(
        'BAD_HEADER',
        `minishard ${place.minishard}: its index lists chunk ${formatChunkId(low, high)}, which ${why}`,
      );
  }
}

/**
 * Returns a test that tells whether a chunk ID (low word, high word) belongs to another minishard or shard.
 * The IDs of one minishard have certain bits in common, in the ID or in its hash.
 */
function elsewhereTest(
  { hash, preshiftBits, minishardBits, shardBits }: ShardingSpec,
  { shard, minishard }: MinishardLocation,
): (low: number, high: number) => boolean {
  const isHashed = hash !== 'identity',
    shift = BigInt(isHashed ? 0 : preshiftBits);
  const bits = (((BigInt(shard[1]) << 32n) | BigInt(shard[0])) << BigInt(minishardBits)) | BigInt(minishard);
  const [maskLow, maskHigh] = wordsOf64(((1n << BigInt(minishardBits + shardBits)) - 1n) << shift);
  const [wantLow, wantHigh] = wordsOf64(bits << shift);
  const words = new Uint32Array(2);
  return (low, high) => {
    if (!isHashed) return (((low & maskLow) ^ wantLow) | ((high & maskHigh) ^ wantHigh)) !== 0;
    words[0] = low;
    words[1] = high;
    shiftRight(words, preshiftBits);
    hashInPlace(words);
    return (((words[0] & maskLow) ^ wantLow) | ((words[1] & maskHigh) ^ wantHigh)) !== 0;
  };
}

/**
 * Splits 64 bits into signed words, because bitwise operators return signed words. Bits beyond the 64th are
 * dropped: an ID has none.
 */
const wordsOf64 = (bits: bigint): [low: number, high: number] => [
  Number(BigInt.asIntN(32, bits)),
  Number(BigInt.asIntN(32, bits >> 32n)),
];

/**
 * Checks that ranges do not overlap. Equal ranges and empty ones are allowed: several chunks may share the
 * same bytes.
 */
function checkRanges({ ids, starts, ends }: MinishardIndex, { minishard }: MinishardLocation): void {
  let ascending = true;
  for (let k = 1; ascending && k < starts.length; k++) ascending = starts[k] >= ends[k - 1];
  if (ascending) return;
  const order = Uint32Array.from(starts.keys())
    .filter((k) => starts[k] < ends[k])
    .sort((a, b) => starts[a] - starts[b] || ends[a] - ends[b]);
  for (let n = 1; n < order.length; n++) {
    const before = order[n - 1],
      k = order[n];
    const isSame = starts[k] === starts[before] && ends[k] === ends[before];
    if (starts[k] >= ends[before] || isSame) continue;
    const text = (at: number): string =>
      `chunk ${formatChunkId(ids[2 * at], ids[2 * at + 1])} at bytes ${starts[at]} to ${ends[at]}`;
    throw new DecodeError(
      'BAD_HEADER',
      `minishard ${minishard}: its index places ${text(before)} and ${text(k)}, which overlap`,
    );
  }
}

/**
 * Returns a test that tells whether a chunk ID (low word, high word) is outside the grid. The bits of one
 * axis sort as its cells do.
 */
function outsideTest(gridShape: Vec3): (low: number, high: number) => boolean {
  const bits = codeBits(gridShape);
  const words = (of: (axis: number) => boolean): { low: number; high: number } => ({
    low: bits.reduce((word, { axis }, j) => (j < 32 && of(axis) ? word + 2 ** j : word), 0),
    high: bits.reduce((word, { axis }, j) => (j >= 32 && of(axis) ? word + 2 ** (j - 32) : word), 0),
  });
  const all = words(() => true);
  // An axis of 2^n cells needs no limit: every value of its bits is a cell.
  const axes = [0, 1, 2].filter((axis) => !Number.isInteger(Math.log2(gridShape[axis])));
  const limits = axes.map((axis) => {
    const last = [0, 1, 2].map((other) => (other === axis ? gridShape[axis] - 1 : 0));
    const [lastLow, lastHigh] = compressedMortonCodes(gridShape, Float64Array.from(last));
    return { ...words((other) => other === axis), lastLow, lastHigh };
  });
  return (low, high) => {
    if (low > all.low || high > all.high) return true;
    for (const limit of limits) {
      const axisHigh = (high & limit.high) >>> 0;
      if (
        axisHigh > limit.lastHigh ||
        (axisHigh === limit.lastHigh && (low & limit.low) >>> 0 > limit.lastLow)
      )
        return true;
    }
    return false;
  };
}
