/**
 * Finds the roots that have the parts of an object at another timestamp, by the history of edits or by a vote
 * of the parts.
 */
import { findCurrentNodes, type LeavesByNode, type NodeQueries } from './current-nodes.ts';
import { rootTimestamps } from './root-lifetimes.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { lineageWalk, type LineageGraph } from './history.ts';

/** Most roots in one lineage request. */
const ROOTS_AT_ONCE = 200;

/**
 * Returns the roots that each root became by a later timestamp, or was made from at an earlier one, by the
 * history of edits. An object that was merged in and split off again counts as well.
 *
 * It sends two kinds of requests. A walk into the past and one into the future must not meet, because the
 * server then omits the part where they overlap.
 */
export async function findRelatedRoots(
  api: Endpoints,
  roots: BigUint64Array,
  timestampMs: number,
  options: CallOptions,
): Promise<Map<bigint, BigUint64Array>> {
  const madeAt = await rootTimestamps(api, roots, options);
  const found = new Map<bigint, BigUint64Array>();
  const walk = async (group: BigUint64Array, forward: boolean): Promise<void> => {
    // The walk into the past starts one millisecond later, so that a root created at exactly the timestamp is
    // not divided.
    const lineage = await lineageWalk(api, group, timestampMs + 1, timestampMs, options);
    const at = new LineageAt(lineage, timestampMs, forward);
    for (const root of group) found.set(root, at.from(root));
  };
  const older = roots.filter((_root, k) => madeAt[k] <= timestampMs),
    newer = roots.filter((_root, k) => madeAt[k] > timestampMs);
  const walks: Promise<void>[] = [];
  for (const [list, forward] of [
    [older, true],
    [newer, false],
  ] as const)
    for (let start = 0; start < list.length; start += ROOTS_AT_ONCE)
      walks.push(walk(list.subarray(start, start + ROOTS_AT_ONCE), forward));
  await Promise.all(walks);
  return found;
}

/** A walk along a lineage graph, to the roots at one timestamp. */
class LineageAt {
  readonly #madeMs: Map<bigint, number>;
  /** What replaced each root, and the steps of this walk: the same, or reversed. */
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

  /** Returns the roots at the timestamp that can be reached from `root`, in ascending order. */
  from(root: bigint): BigUint64Array {
    const seen = new Set([root]),
      open = [root],
      current: bigint[] = [];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (this.#isRoot(node)) current.push(node);
      for (const next of this.#steps.get(node) ?? []) if (!seen.has(next)) seen.add(next) && open.push(next);
    }
    return BigUint64Array.from(current).sort();
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

/** A root that has parts of an object. */
export interface SuggestedRoot {
  /** The root ID. */
  root: bigint;
  /** The share of the old object's parts that are in this root: above 0, at most 1. */
  confidence: number;
}

/** The roots that have the parts of one ID. */
export interface Suggestion {
  /** The requested ID. */
  root: bigint;
  /**
   * The root with the most parts first; among equals, the lower ID first. Empty if none of the parts has a
   * root at the timestamp, or if there is no such ID.
   */
  suggestions: SuggestedRoot[];
  /** Whether the requested ID is not a root at the timestamp. False if it is one. */
  changed: boolean;
}

/** The look-ups that a vote needs, at its timestamp. */
export interface VoteQueries extends NodeQueries {
  /** Checks whether each is a root at the timestamp. */
  isLatest: (ids: BigUint64Array) => Promise<boolean[]>;
  /** Returns the leaves without foreign ones. */
  removeForeign: (parts: LeavesByNode) => Promise<LeavesByNode>;
}

/**
 * Lets the parts of each ID vote that is not a root at the timestamp. If an edit replaced a layer-2 node, its
 * supervoxels share its vote. If the votes differ, foreign parts (which the server lists, but which are not
 * part of the object) have no vote.
 *
 * @param votingLayer Layer of the parts. An ID at that layer or below is its own part.
 */
export async function suggestRoots(
  ids: BigUint64Array,
  votingLayer: 1 | 2,
  { isLatest, removeForeign, ...graph }: VoteQueries,
): Promise<Suggestion[]> {
  const { layerOf, leavesMany } = graph,
    isCurrent = await isLatest(ids),
    old = ids.filter((_id, k) => !isCurrent[k]);
  const above = old.filter((id) => layerOf(id) > votingLayer);
  const parts: LeavesByNode =
    above.length > 0 ? await leavesMany(above, votingLayer) : new Map<bigint, BigUint64Array>();
  for (const id of old) if (layerOf(id) <= votingLayer) parts.set(id, BigUint64Array.of(id));
  const rootsOf = await findRootsOfParts(parts, graph);
  const vote = (list: BigUint64Array): SuggestedRoot[] => {
    const votes = new VoteCount();
    for (const part of list) votes.addShared(rootsOf(part));
    return votes.shares(list.length);
  };
  const results = new Map(Array.from(parts, ([id, list]) => [id, vote(list)]));
  const divided = new Map([...parts].filter(([id]) => !isUnanimous(results.get(id)!)));
  for (const [id, list] of divided.size > 0 ? await removeForeign(divided) : divided)
    if (list.length < parts.get(id)!.length) results.set(id, vote(list));
  return Array.from(ids, (root, k) =>
    isCurrent[k]
      ? { root, suggestions: [{ root, confidence: 1 }], changed: false }
      : { root, suggestions: results.get(root)!, changed: true },
  );
}

const isUnanimous = (shares: readonly SuggestedRoot[]): boolean =>
  shares.length === 1 && shares[0].confidence === 1;

/**
 * Returns the roots of each part: for a current node, the root of one of its supervoxels; for another node,
 * the roots of all.
 */
async function findRootsOfParts(
  parts: LeavesByNode,
  graph: NodeQueries,
): Promise<(part: bigint) => bigint[]> {
  const all = BigUint64Array.from(new Set([...parts.values()].flatMap((list) => [...list]))),
    nodes = all.filter((id) => graph.layerOf(id) > 1);
  const { current, supervoxels } = await findCurrentNodes(nodes, graph);
  const votersOf = (part: bigint): BigUint64Array => {
    const below = supervoxels.get(part);
    if (!below) return BigUint64Array.of(part);
    return current.has(part) ? below.subarray(0, 1) : below;
  };
  const voters = BigUint64Array.from(new Set([...all].flatMap((part) => [...votersOf(part)]))),
    roots = voters.length > 0 ? await graph.rootsAt(voters) : voters;
  const rootOfVoter = new Map(Array.from(voters, (voter, k) => [voter, roots[k]]));
  return (part) => Array.from(votersOf(part), (voter) => rootOfVoter.get(voter)!);
}

/** Counts votes. Whole votes are counted as whole numbers, so that a unanimous vote gives exactly 1. */
class VoteCount {
  readonly #whole = new Map<bigint, number>();
  readonly #parts = new Map<bigint, number>();

  /** Adds one vote that several voters share. */
  addShared(roots: readonly bigint[]): void {
    const counts = new Map<bigint, number>();
    for (const root of roots) counts.set(root, (counts.get(root) ?? 0) + 1);
    for (const [root, count] of counts)
      if (count === roots.length) this.#whole.set(root, (this.#whole.get(root) ?? 0) + 1);
      else this.#parts.set(root, (this.#parts.get(root) ?? 0) + count / roots.length);
  }

  /** Returns the share of each root in `total` votes. Votes for 0, which means no root, are left out. */
  shares(total: number): SuggestedRoot[] {
    const roots = [...new Set([...this.#whole.keys(), ...this.#parts.keys()])].filter((root) => root !== 0n);
    const shares = roots.map((root) => ({
      root,
      confidence: ((this.#whole.get(root) ?? 0) + (this.#parts.get(root) ?? 0)) / total,
    }));
    return shares.sort((a, b) => b.confidence - a.confidence || (a.root < b.root ? -1 : 1));
  }
}
