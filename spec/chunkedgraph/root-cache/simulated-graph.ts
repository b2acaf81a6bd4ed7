/**
 * A graph with edits, by brute force: each supervoxel has a list of its roots, and each root has its times. The parts that an edit
 * writes become visible one by one, up to `SETTLE_MS` after the edit's timestamp, as a reader of the real server may see them.
 */
import { IdLayout } from '../../../lib/chunkedgraph/ids/id-layout.ts';
import {
  RootOutcome,
  type RootLookUpOptions,
  type RootsAnswer,
  type RootSource,
} from '../../../lib/chunkedgraph/roots/root-source.ts';
import type { RootHistory } from '../../../lib/chunkedgraph/root-cache/root-history.ts';
import { seeded, type Random } from '../../../testing/random.ts';

export const SETTLE_MS = 50;
export const N_LAYERS = 4;
export const IDS = new IdLayout({
  layerBits: 8,
  spatialBits: new Map([
    [1, 8],
    [2, 8],
    [3, 8],
    [4, 8],
  ]),
});
/** The graph does not exist before this time. */
export const BASE_MS = 1_000_000;

/** Both words are used, so that neither can be ignored. */
export const supervoxel = (n: number): bigint =>
  (1n << 56n) | (BigInt(n % 3) << 40n) | BigInt(5_000_000_000 + n);
export const unknownSupervoxel = (n: number): bigint => (1n << 56n) | BigInt(900_000 + n);
const rootId = (n: number): bigint => (4n << 56n) | BigInt(7_000_000_000 + n);
const level2Id = (n: number): bigint => (2n << 56n) | BigInt(n + 1);

interface Root {
  id: bigint;
  members: number[];
  createdMs: number;
  /** When its row becomes visible. */
  rowSeenMs: number;
  /** When the edit that created it has been written, and releases its locks. */
  writtenMs: number;
  replacedMs: number;
  replacementSeenMs: number;
}

interface Change {
  ms: number;
  seenMs: number;
  root: Root;
}

export class SimulatedGraph {
  nowMs = BASE_MS + 10 * SETTLE_MS;
  readonly #random: Random;
  readonly #changes: Change[][];
  readonly roots = new Map<bigint, Root>();
  /** Layer-2 nodes, created with a root. As on the server, a node keeps its root for good. */
  readonly level2 = new Map<bigint, Root>();
  /** The pieces before each merge or split, for undo. */
  readonly #undoable: number[][][] = [];

  constructor(
    readonly size: number,
    seed: number,
  ) {
    this.#random = seeded(seed);
    this.#changes = Array.from({ length: size }, () => []);
    for (let n = 0; n < size; n += 2) this.#make(n + 1 < size ? [n, n + 1] : [n], BASE_MS, 0);
  }

  /** Supervoxels for which the server keeps giving the root of an earlier time. */
  readonly frozen = new Map<number, { ms: number; root: bigint }>();

  /** The current roots, once all edits are visible. */
  get current(): Root[] {
    return [...this.roots.values()].filter(({ replacedMs }) => replacedMs === Infinity);
  }

  /** Starts an edit now. Nothing happens if another edit still locks an object. */
  edit(kind: 'merge' | 'split' | 'undo', a: number, b: number): void {
    const { current } = this,
      first = current[a % current.length],
      second = current[b % current.length];
    if (kind === 'merge' && first !== second)
      this.#replace([first, second], [[...first.members, ...second.members]]);
    if (kind === 'split' && first.members.length > 1) {
      const at = 1 + (b % (first.members.length - 1));
      this.#replace([first], [first.members.slice(0, at), first.members.slice(at)]);
    }
    if (kind === 'undo' && this.#undoable.length > 0) {
      const pieces = this.#undoable[a % this.#undoable.length],
        members = pieces.flat();
      const touched = [...new Set(members.map((n) => this.#changes[n].at(-1)!.root))];
      if (
        touched.flatMap((root) => root.members).length === members.length &&
        touched.length !== pieces.length
      )
        this.#replace(touched, pieces);
    }
  }

  /** The root of a supervoxel at a timestamp, once all edits are visible; 0 for none. */
  truth(n: number, ms: number): bigint {
    return this.#changes[n].findLast((change) => change.ms <= ms)?.root.id ?? 0n;
  }

  /** All roots that a look-up at `askedMs` may see, depending on which edits are visible; 0 between two roots. */
  possible(n: number, ms: number, askedMs: number): bigint[] {
    const settledMs = Math.min(ms, askedMs - SETTLE_MS);
    return [
      this.truth(n, settledMs),
      ...this.#changes[n]
        .filter((change) => change.ms > settledMs && change.ms <= ms)
        .map(({ root }) => root.id),
      0n,
    ];
  }

  /** The server's answer at this time. */
  read(id: bigint, ms: number): bigint {
    const level2 = this.level2.get(id);
    if (level2) return level2.createdMs <= ms ? level2.id : 0n;
    const n = this.#changes.findIndex((_, k) => supervoxel(k) === id),
      frozen = this.frozen.get(n);
    if (frozen && ms >= frozen.ms) return frozen.root;
    return n < 0
      ? 0n
      : (this.#changes[n].findLast((change) => change.ms <= ms && change.seenMs <= this.nowMs)?.root.id ??
          0n);
  }

  isLatest(id: bigint, ms: number): boolean {
    const root = this.roots.get(id)!;
    return (
      root.createdMs <= ms &&
      root.rowSeenMs <= this.nowMs &&
      !(root.replacedMs <= ms && root.replacementSeenMs <= this.nowMs)
    );
  }

  #replace(old: Root[], pieces: number[][]): void {
    const ms = this.nowMs;
    if (old.some((root) => root.writtenMs > ms || root.createdMs >= ms)) return;
    const lagMs = this.#random.pick([0, 1, SETTLE_MS]);
    for (const root of old) {
      root.replacedMs = ms;
      root.replacementSeenMs = ms + this.#random.below(lagMs + 1);
    }
    for (const members of pieces) this.#make(members, ms, lagMs);
    this.#undoable.push(old.map(({ members }) => members));
  }

  #make(members: number[], ms: number, lagMs: number): void {
    const seenMs = (): number => ms + this.#random.below(lagMs + 1);
    const root: Root = {
      id: rootId(this.roots.size),
      members,
      createdMs: ms,
      rowSeenMs: seenMs(),
      writtenMs: ms + lagMs,
      replacedMs: Infinity,
      replacementSeenMs: Infinity,
    };
    this.roots.set(root.id, root);
    this.level2.set(level2Id(this.level2.size), root);
    for (const n of members) this.#changes[n].push({ ms, seenMs: seenMs(), root });
  }
}

/** A server of a simulated graph. Time passes while it answers, and it records its requests. */
export class SimulatedServer implements RootSource, RootHistory {
  /** How often each `ID@timestamp` was answered, for settled timestamps. */
  readonly answered = new Map<string, number>();
  readonly requested: bigint[][] = [];
  readonly requestedLatest: bigint[][] = [];
  readonly requestedCreated: bigint[][] = [];
  /** Whether the next request fails. */
  failing = false;

  constructor(
    readonly graph: SimulatedGraph,
    readonly passMs: () => number = () => 0,
  ) {}

  now(): number {
    return this.graph.nowMs;
  }

  isSettled(ms: number): boolean {
    return ms <= this.graph.nowMs - SETTLE_MS;
  }

  async lookUp(
    ids: BigUint64Array,
    { timestampMs = this.now(), stopLayer = N_LAYERS }: RootLookUpOptions = {},
  ): Promise<RootsAnswer> {
    const settled = this.isSettled(timestampMs);
    this.graph.nowMs += this.passMs();
    await Promise.resolve();
    this.requested.push([...ids]);
    const failed = this.#fails(),
      rootIds = new BigUint64Array(ids.length),
      outcomes = new Uint8Array(ids.length);
    new Set(ids).forEach((id) => settled && !failed && id >> 56n === 1n && this.#count(id, timestampMs));
    ids.forEach((id, i) => {
      const layer = Number(id >> 56n);
      const root = layer >= stopLayer ? id : this.graph.read(id, timestampMs);
      outcomes[i] =
        id === 0n
          ? RootOutcome.zero
          : failed
            ? RootOutcome.failed
            : layer >= stopLayer
              ? RootOutcome.notLookedUp
              : root === 0n
                ? RootOutcome.noRoot
                : RootOutcome.ok;
      rootIds[i] = failed ? 0n : root;
    });
    this.graph.nowMs += this.passMs();
    const failures = failed ? [{ first: 0n, last: 2n ** 64n - 1n, error: new Error('simulated') }] : [];
    return { timestampMs, settled, rootIds, outcomes, failures, distinct: new Set(ids).size, requests: 1 };
  }

  async isLatest(roots: BigUint64Array, timestampMs: number): Promise<boolean[]> {
    const settled = this.isSettled(timestampMs);
    this.graph.nowMs += this.passMs();
    this.requestedLatest.push([...roots]);
    if (this.#fails()) throw new Error('simulated');
    roots.forEach((id) => settled && this.#count(id, timestampMs));
    return Array.from(roots, (id) => this.graph.isLatest(id, timestampMs));
  }

  async createdMs(roots: BigUint64Array): Promise<Float64Array> {
    this.requestedCreated.push([...roots]);
    if (this.#fails()) throw new Error('simulated');
    roots.forEach((id) => this.#count(id, -1));
    return Float64Array.from(roots, (id) => this.graph.roots.get(id)!.createdMs);
  }

  #fails(): boolean {
    const { failing } = this;
    this.failing = false;
    return failing;
  }

  #count(id: bigint, ms: number): void {
    const key = `${id}@${ms}`;
    this.answered.set(key, (this.answered.get(key) ?? 0) + 1);
  }
}
