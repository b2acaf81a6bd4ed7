/** Which roots hold the parts of an object at another moment. */
import { isLatestRoots, rootTimestamps } from './root-life.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { lineageGraph, type LineageGraph } from './history.ts';

/** Roots in one lineage request. */
const ROOTS_AT_ONCE = 200;

/**
 * Of each root those that it became by a moment after it was made, or was made of at one before, as the history of edits has it: when an
 * object that was merged in is split off again, it counts as well.
 *
 * Two kinds of requests: a walk into the past and one into the future must not meet, as the server then leaves out where they overlap.
 */
export async function relatedRoots(api: Endpoints, roots: BigUint64Array, timestampMs: number, options: CallOptions): Promise<Map<bigint, BigUint64Array>> {
  const madeAt = await rootTimestamps(api, roots, options);
  const found = new Map<bigint, BigUint64Array>();
  const walk = async (asked: BigUint64Array, forward: boolean): Promise<void> => {
    // From one millisecond later on into the past, so that who was made at this very moment is not taken apart.
    const lineage = await lineageGraph(api, asked, timestampMs + 1, timestampMs, options);
    const at = new LineageAt(lineage, timestampMs, forward);
    for (const root of asked) found.set(root, at.from(root));
  };
  const older = roots.filter((_root, k) => madeAt[k] <= timestampMs), newer = roots.filter((_root, k) => madeAt[k] > timestampMs);
  const walks: Promise<void>[] = [];
  for (const [list, forward] of [[older, true], [newer, false]] as const)
    for (let start = 0; start < list.length; start += ROOTS_AT_ONCE) walks.push(walk(list.subarray(start, start + ROOTS_AT_ONCE), forward));
  await Promise.all(walks);
  return found;
}

class LineageAt {
  readonly #madeMs: Map<bigint, number>;
  /** What replaced each, and the steps of this walk: the same, or the reverse. */
  readonly #next = new Map<bigint, bigint[]>();
  readonly #steps = new Map<bigint, bigint[]>();
  readonly #atMs: number;

  constructor({ nodes, links }: LineageGraph, atMs: number, forward: boolean) {
    this.#atMs = atMs;
    this.#madeMs = new Map(nodes.map(({ id, timestamp }) => [id, timestamp.getTime()]));
    for (const { source, target } of links) {
      push(this.#next, source, target);
      if (forward) push(this.#steps, source, target);
      else push(this.#steps, target, source);
    }
  }

  /** All that are roots at the moment among what is reached from `root`, ascending. */
  from(root: bigint): BigUint64Array {
    const seen = new Set([root]), open = [root], alive: bigint[] = [];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (this.#isRoot(node)) alive.push(node);
      for (const next of this.#steps.get(node) ?? []) if (!seen.has(next)) seen.add(next) && open.push(next);
    }
    return BigUint64Array.from(alive).sort();
  }

  #isRoot(node: bigint): boolean {
    const made = (id: bigint): number => this.#madeMs.get(id) ?? Infinity;
    return made(node) <= this.#atMs && !(this.#next.get(node) ?? []).some((next) => made(next) <= this.#atMs);
  }
}

function push(map: Map<bigint, bigint[]>, key: bigint, value: bigint): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

export interface SuggestedRoot {
  root: bigint;
  /** The share of the old object's parts that are in it: above 0, at most 1. */
  confidence: number;
}

export interface Suggestion {
  /** The root asked about. */
  root: bigint;
  /** Most of its parts first; of equals the lower ID. Empty when none of its parts has a root at that moment, or there is no such ID. */
  suggestions: SuggestedRoot[];
  /** False: it is a root at that moment itself. */
  changed: boolean;
}

/** What a vote needs to know of the graph. */
export interface Electorate {
  leavesMany: (nodes: BigUint64Array, stopLayer: number) => Promise<Map<bigint, BigUint64Array>>;
  /** Roots at the moment; 0 where there is none. */
  rootsOf: (ids: BigUint64Array) => Promise<BigUint64Array>;
}

/**
 * A vote of each old root's parts. A layer-2 node that an edit replaced still leads to the old root: its supervoxels then vote one by one,
 * sharing its vote.
 */
export async function suggestRoots(api: Endpoints, roots: BigUint64Array, timestampMs: number, by: 'level2' | 'supervoxels', { leavesMany, rootsOf }: Electorate, options: CallOptions): Promise<Suggestion[]> {
  const current = await isLatestRoots(api, roots, timestampMs, options);
  const old = roots.filter((_root, k) => !current[k]);
  const parts = await leavesMany(old, by === 'level2' ? 2 : 1);
  let votes = weighed(parts);
  let elected = await rootsOf(votes.voters);
  if (by === 'level2') {
    const distinct = BigUint64Array.from(new Set(elected));
    const latest = await isLatestRoots(api, distinct, timestampMs, options);
    const stale = new Set(distinct.filter((_root, k) => !latest[k]));
    const replaced = votes.voters.filter((_voter, k) => stale.has(elected[k]));
    if (replaced.length > 0) {
      const supervoxels = await leavesMany(replaced, 1);
      votes = shared(votes, supervoxels);
      elected = await rootsOf(votes.voters);
    }
  }
  const counts = new Map<bigint, Map<bigint, number>>();
  votes.voters.forEach((_voter, k) => {
    if (elected[k] === 0n) return;
    const count = counts.get(votes.of[k]) ?? new Map<bigint, number>();
    counts.set(votes.of[k], count.set(elected[k], (count.get(elected[k]) ?? 0) + votes.weights[k]));
  });
  return Array.from(roots, (root, k) => {
    if (current[k]) return { root, suggestions: [{ root, confidence: 1 }], changed: false };
    const suggestions = Array.from(counts.get(root) ?? [], ([suggested, confidence]) => ({ root: suggested, confidence: Math.min(1, confidence) }));
    return { root, suggestions: suggestions.sort((a, b) => b.confidence - a.confidence || (a.root < b.root ? -1 : 1)), changed: true };
  });
}

interface Votes {
  voters: BigUint64Array;
  /** The old root each votes for the successor of. */
  of: bigint[];
  weights: number[];
}

function weighed(parts: Map<bigint, BigUint64Array>): Votes {
  const voters: bigint[] = [], of: bigint[] = [], weights: number[] = [];
  for (const [root, list] of parts)
    for (const part of list) {
      voters.push(part);
      of.push(root);
      weights.push(1 / list.length);
    }
  return { voters: BigUint64Array.from(voters), of, weights };
}

/** Voters that have parts of their own give way to them. */
function shared(votes: Votes, parts: Map<bigint, BigUint64Array>): Votes {
  const voters: bigint[] = [], of: bigint[] = [], weights: number[] = [];
  votes.voters.forEach((voter, k) => {
    const list = parts.get(voter) ?? [voter];
    for (const part of list) {
      voters.push(part);
      of.push(votes.of[k]);
      weights.push(votes.weights[k] / list.length);
    }
  });
  return { voters: BigUint64Array.from(voters), of, weights };
}
