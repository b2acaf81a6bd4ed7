/** How much of a grid one shard holds. Source: Neuroglancer, src/datasource/precomputed/sharded.md, "Sharding specification". */
import type { Vec3 } from '../base/vec3.ts';
import { codeBits } from './morton.ts';
import type { ShardingSpec } from './sharding.ts';

/**
 * Cells of the grid whose chunks are in shard `high * 2^32 + low`. With the identity hash a shard fixes some bits of each axis and leaves
 * the others free, so that they are counted axis by axis. Infinity with another hash, which spreads them over all shards.
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
    // Of one axis, neighbouring bits are fixed: its cells come in blocks of 2^lowest, one block a period of 2^(highest + 1).
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
