/** Types and helpers that the comparisons with CAVEclient share. */
import type { GrapheneVolume } from 'graphene-points';
import type { Random } from '../testing/random.ts';
import type { Comparison } from './comparison.ts';
import type { History } from './history.ts';
import type { World } from './worlds.ts';

/** One world, with both clients of it, its history and the comparison to report to. */
export interface CaveContext {
  world: World;
  volume: GrapheneVolume;
  history: History;
  random: Random;
  comparison: Comparison;
  /** Calls a method of ChunkedGraphClient. */
  theirs: <T>(method: string, args?: Record<string, unknown>) => Promise<T>;
}

/**
 * Returns timestamps 1 ms before, at and 1 ms after the base and at most some `edits` edits; none before the
 * base.
 */
export function timestampsAroundEdits({ baseMs, editsMs }: World, edits: number): number[] {
  const every = Math.ceil(editsMs.length / edits);
  const chosen = [baseMs, ...editsMs.filter((_, k) => k % every === 0 || k === editsMs.length - 1)];
  return [...new Set(chosen.flatMap((ms) => [ms - 1, ms, ms + 1]))].filter((ms) => ms >= baseMs);
}

export const sample = (random: Random, items: readonly bigint[], count: number): bigint[] =>
  Array.from({ length: Math.min(count, items.length) }, () => random.pick(items));

/** Converts IDs to uint64. They arrive as signed or unsigned arrays, or as floats if the list is empty. */
export const toIds = (ids: ArrayLike<bigint | number | string>): BigUint64Array =>
  BigUint64Array.from(Array.from(ids, BigInt));

/** A graph as networkx writes it. */
export interface NodeLink {
  nodes: { id: string; timestamp: string; operation_id?: string }[];
  links: { source: string; target: string }[];
}
