/** Which roots hold the parts of an object at another moment. */
import { findCurrentNodes, type LeavesByNode, type NodeQueries } from './current-nodes.ts';
import { rootTimestamps } from './root-lifetimes.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { lineageWalk, type LineageGraph } from './history.ts';

/** Roots in one lineage request. */
const ROOTS_AT_ONCE = 200;

/**
 * Of each root those that it became by a moment after it was made, or was made of at one before, as the history of edits has it: when an
 * object that was merged in is split off again, it counts as well.
 *
 * Two kinds of requests: a walk into the past and one into the future must not meet, as the server then leaves out where they overlap.
 */
export async function findRelatedRoots(
  api: Endpoints,
  roots: BigUint64Array,
  timestampMs: number,
  options: CallOptions,
): Promise<Map<bigint, BigUint64Array>> {
  const madeAt = await rootTimestamps(api, roots, options);
  const found = new Map<bigint, BigUint64Array>();
  const walk = async (asked: BigUint64Array, forward: boolean): Promise<void> => {
    // From one millisecond later on into the past, so that who was made at this very moment is not taken apart.
    const lineage = await lineageWalk(api, asked, timestampMs + 1, timestampMs, options);
    const at = new LineageAt(lineage, timestampMs, forward);
    for (const root of asked) found.set(root, at.from(root));
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
    const seen = new Set([root]),
      open = [root],
      alive: bigint[] = [];
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
  /** The ID asked about. */
  root: bigint;
  /** Most of its parts first; of equals the lower ID. Empty when none of its parts has a root at that moment, or there is no such ID. */
  suggestions: SuggestedRoot[];
  /** False: it is a root at that moment itself. */
  changed: boolean;
}

/** What a vote needs to know of the graph at the moment. */
export interface VoteQueries extends NodeQueries {
  /** Whether each is a root at the moment. */
  isLatest: (ids: BigUint64Array) => Promise<boolean[]>;
  /** The same leaves without those that are not a node's own. */
  removeForeign: (parts: LeavesByNode) => Promise<LeavesByNode>;
}

/**
 * A vote of the parts of each ID that is not a root at the moment. The supervoxels of a layer-2 node that an edit replaced vote one by one,
 * sharing its vote. Where not all agree, parts that the server only lists, and that are not of the object, have no vote.
 * @param votingLayer Of the parts; an ID at that layer or below is its own part.
 */
export async function suggestRoots(
  ids: BigUint64Array,
  votingLayer: 1 | 2,
  { isLatest, removeForeign: own, ...graph }: VoteQueries,
): Promise<Suggestion[]> {
  const { layerOf, leavesMany } = graph,
    isCurrent = await isLatest(ids),
    old = ids.filter((_id, k) => !isCurrent[k]);
  const above = old.filter((id) => layerOf(id) > votingLayer);
  const parts: LeavesByNode =
    above.length > 0 ? await leavesMany(above, votingLayer) : new Map<bigint, BigUint64Array>();
  for (const id of old) if (layerOf(id) <= votingLayer) parts.set(id, BigUint64Array.of(id));
  const rootsOf = await electedBy(parts, graph);
  const vote = (list: BigUint64Array): SuggestedRoot[] => {
    const votes = new Tally();
    for (const part of list) votes.addShared(rootsOf(part));
    return votes.shares(list.length);
  };
  const results = new Map(Array.from(parts, ([id, list]) => [id, vote(list)]));
  const divided = new Map([...parts].filter(([id]) => !isUnanimous(results.get(id)!)));
  for (const [id, list] of divided.size > 0 ? await own(divided) : divided)
    if (list.length < parts.get(id)!.length) results.set(id, vote(list));
  return Array.from(ids, (root, k) =>
    isCurrent[k]
      ? { root, suggestions: [{ root, confidence: 1 }], changed: false }
      : { root, suggestions: results.get(root)!, changed: true },
  );
}

const isUnanimous = (shares: readonly SuggestedRoot[]): boolean =>
  shares.length === 1 && shares[0].confidence === 1;

/** The roots that parts have: of a node that stands that of one of its supervoxels, of others those of all. */
async function electedBy(parts: LeavesByNode, graph: NodeQueries): Promise<(part: bigint) => bigint[]> {
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
  const elected = new Map(Array.from(voters, (voter, k) => [voter, roots[k]]));
  return (part) => Array.from(votersOf(part), (voter) => elected.get(voter)!);
}

/** Counts whole votes as whole numbers, so that what all agree on is exactly 1. */
class Tally {
  readonly #whole = new Map<bigint, number>();
  readonly #parts = new Map<bigint, number>();

  /** One vote, of several. */
  addShared(roots: readonly bigint[]): void {
    const counts = new Map<bigint, number>();
    for (const root of roots) counts.set(root, (counts.get(root) ?? 0) + 1);
    for (const [root, count] of counts)
      if (count === roots.length) this.#whole.set(root, (this.#whole.get(root) ?? 0) + 1);
      else this.#parts.set(root, (this.#parts.get(root) ?? 0) + count / roots.length);
  }

  /** Of `total` votes; 0 is nobody. */
  shares(total: number): SuggestedRoot[] {
    const roots = [...new Set([...this.#whole.keys(), ...this.#parts.keys()])].filter((root) => root !== 0n);
    const shares = roots.map((root) => ({
      root,
      confidence: ((this.#whole.get(root) ?? 0) + (this.#parts.get(root) ?? 0)) / total,
    }));
    return shares.sort((a, b) => b.confidence - a.confidence || (a.root < b.root ? -1 : 1));
  }
}
