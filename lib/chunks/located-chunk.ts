/** Chunks whose place in a shard an index has told, and how often that may turn out to be outdated. */
import type { ShardChunk } from './deliver-piece.ts';
import type { CachedIndex } from './shard-indices.ts';

/** Where a stored chunk is in its shard. */
export interface LocatedChunk extends ShardChunk {
  /** The index that says so. */
  index: CachedIndex;
}

/**
 * How often one call may still read the indices of a shard again, and chunks with the same indices; and when
 * it began.
 */
export interface ReadBudget {
  rereads: number;
  retries: number;
  since: number;
}

/** Whether an index was read before the call began. Its shard may have been replaced since. */
export const wasReadBefore = ({ versions, fromDisk }: CachedIndex, { since, rereads }: ReadBudget): boolean =>
  rereads > 0 && (fromDisk || versions.learnedAt < since);
