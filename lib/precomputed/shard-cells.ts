/**
 * Counts the cells of a grid that one shard holds. Source: Neuroglancer,
 * src/datasource/precomputed/sharded.md, "Sharding specification".
 */
import type { Vec3 } from '../base/vec3.ts';
import { codeBits } from './morton.ts';
import type { ShardingSpec } from './sharding.ts';

/**
 * Counts the cells whose chunks are in shard `high * 2^32 + low`. With the identity hash, a shard fixes some
 * bits of each axis, so the cells can be counted axis by axis. Any other hash spreads the cells over all
 * shards; the result is then Infinity.
 */
export function cellsInShard(
  { hash, preshiftBits, minishardBits, shardBits }: ShardingSpec,
  gridShape: Vec3,
  low: number,
  high: number,
): number {
  if (hash !== 'identity') return Infinity;
  const first = preshiftBits + minishardBits;
  const fixed = codeBits(gridShape).slice(first, first + shardBits);
  let cells = 1;
  for (let axis = 0; axis < 3; axis++) {
    // The fixed bits of an axis are consecutive, so its cells come in blocks of 2^lowest, one block per
    // period of 2^(highest + 1).
    let block = gridShape[axis],
      period = Infinity,
      start = 0;
    fixed.forEach((bit, k) => {
      if (bit.axis !== axis) return;
      if (period === Infinity) block = 2 ** bit.bit;
      period = 2 ** (bit.bit + 1);
      if (((k < 32 ? low >>> k : high >>> (k - 32)) & 1) === 1) start += 2 ** bit.bit;
    });
    const rest = gridShape[axis] % period;
    cells *= ((gridShape[axis] - rest) / period) * block + Math.min(Math.max(rest - start, 0), block);
  }
  return cells;
}
