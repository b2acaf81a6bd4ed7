/** What comparisons with CAVEclient share. */
import type { GrapheneVolume } from 'graphene-points';
import type { Random } from '../testing/random.ts';
import type { Comparison } from './comparison.ts';
import type { History } from './history.ts';
import type { World } from './worlds.ts';

/** One world, and both sides of it. */
export interface Sides {
  world: World;
  volume: GrapheneVolume;
  history: History;
  random: Random;
  comparison: Comparison;
  /** A method of ChunkedGraphClient. */
  theirs: <T>(method: string, args?: Record<string, unknown>) => Promise<T>;
}

/** Instants around edits, to the millisecond; the base's own among them. */
export function instants({ baseMs, editsMs }: World, edits: number): number[] {
  const every = Math.ceil(editsMs.length / edits);
  const chosen = [baseMs, ...editsMs.filter((_, k) => k % every === 0 || k === editsMs.length - 1)];
  return [...new Set(chosen.flatMap((ms) => [ms - 1, ms, ms + 1]))].filter((ms) => ms >= baseMs);
}

export const sample = (random: Random, items: readonly bigint[], count: number): bigint[] =>
  Array.from({ length: Math.min(count, items.length) }, () => random.pick(items));

/** IDs come as signed or unsigned arrays, or, when there is none of them, as floats. */
export const toIds = (ids: ArrayLike<bigint | number | string>): BigUint64Array =>
  BigUint64Array.from(Array.from(ids, BigInt));

/** A graph as networkx writes it. */
export interface NodeLink {
  nodes: { id: string; timestamp: string; operation_id?: string }[];
  links: { source: string; target: string }[];
}
