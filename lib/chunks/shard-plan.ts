/** Computes the shard and the minishard of each chunk, on typed arrays. Pure: nothing is read here. */
import { runWithoutPause, type PausableWork } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import { cellPosition, gridShape } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import { compressedMortonCodes } from '../precomputed/morton.ts';
import { locateChunks, shardFileName, type ShardingSpec } from '../precomputed/sharding.ts';
import type { Planned } from './planned.ts';
import type { Shard } from './shard-file.ts';

/**
 * The chunk ID, shard and minishard of each cell. `ids` and `shards` hold a pair of uint32 per cell, low word
 * first.
 */
export interface LocatedChunks {
  ids: Uint32Array;
  shards: Uint32Array;
  minishards: Float64Array;
}

/** A shard and the cells that are wanted in it. */
export interface ShardCells {
  shard: Shard;
  cells: number[];
}

/** Most cells that are planned without a pause, so that calls of one tick share their reads. */
const AT_ONCE = 2 ** 14;
/** Cells between two pauses of a larger plan: about 2 ms. */
const STRETCH = 2 ** 11;

/** Assigns the cells of one scale to shards. */
export class ShardPlan {
  readonly #scale: Scale;
  readonly #sharding: ShardingSpec;
  readonly #gridShape: Vec3;

  constructor(scale: Scale, sharding: ShardingSpec) {
    this.#scale = scale;
    this.#sharding = sharding;
    this.#gridShape = gridShape(scale);
  }

  locate(cells: readonly number[]): LocatedChunks {
    const positions = new Float64Array(3 * cells.length);
    for (const [k, cell] of cells.entries()) positions.set(cellPosition(this.#scale, cell), 3 * k);
    const ids = compressedMortonCodes(this.#gridShape, positions);
    return { ids, ...locateChunks(this.#sharding, ids) };
  }

  /** `0b.shard` */
  shardNameOf(cell: number): string {
    const { shards } = this.locate([cell]);
    return shardFileName(this.#sharding, shards[0], shards[1]);
  }

  /** Groups cells by shard, in order of appearance. */
  groupByShard(cells: readonly number[]): Planned<ShardCells> {
    const grouping = this.#group(cells);
    return cells.length <= AT_ONCE ? runWithoutPause(grouping) : grouping;
  }

  *#group(cells: readonly number[]): PausableWork<ShardCells[]> {
    const byName = new Map<string, ShardCells>();
    for (let from = 0; from < cells.length; from += STRETCH) {
      if (from > 0) yield;
      const group = cells.slice(from, from + STRETCH),
        { shards } = this.locate(group);
      for (const [k, cell] of group.entries()) {
        const low = shards[2 * k],
          high = shards[2 * k + 1],
          name = shardFileName(this.#sharding, low, high);
        const known = byName.get(name);
        if (known) known.cells.push(cell);
        else byName.set(name, { shard: { name, number: [low, high] }, cells: [cell] });
      }
    }
    return [...byName.values()];
  }
}
