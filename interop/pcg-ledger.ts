/** A ledger of a graph's edits: which supervoxels formed one object, and when. It never uses the SDK. */
import type { ChunkedGraph } from '../lib/index.ts';
import { PcgServer, sorted, type Checks } from './pcg-server.ts';

/** The root of every supervoxel from a timestamp until the next edit. */
export interface Epoch {
  ms: number;
  roots: bigint[];
}

/** One recorded edit: the roots that it replaced (`before`) and created (`after`), at `ms` since 1970. */
export interface Edit {
  operationId: number;
  ms: number;
  before: bigint[];
  after: bigint[];
  isMerge: boolean;
}

export class Ledger {
  readonly epochs: Epoch[] = [];
  readonly edits: Edit[] = [];
  readonly #server: PcgServer;
  readonly #checks: Checks;

  private constructor(server: PcgServer, checks: Checks) {
    this.#server = server;
    this.#checks = checks;
  }

  /** Opens a ledger that holds the edits that the server started with. */
  static async open(server: PcgServer, checks: Checks): Promise<Ledger> {
    const ledger = new Ledger(server, checks);
    for (const ms of server.initialTimesMs) ledger.epochs.push({ ms, roots: await server.ancestors(ms) });
    return ledger;
  }

  get last(): Epoch {
    return this.epochs[this.epochs.length - 1];
  }

  at(ms: number): Epoch {
    return this.epochs.findLast((epoch) => epoch.ms <= ms)!;
  }

  supervoxelsOf(root: bigint, { roots }: Epoch = this.last): bigint[] {
    return this.#server.supervoxels.filter((_id, k) => roots[k] === root);
  }

  rootOf(supervoxel: bigint, { roots }: Epoch = this.last): bigint {
    return roots[this.#server.indexes.get(supervoxel)!];
  }

  /** All roots, latest and replaced, in ascending order. */
  get allRoots(): bigint[] {
    return sorted(this.epochs.flatMap(({ roots }) => roots));
  }

  /** Returns the epoch that created a root. */
  createdIn(root: bigint): Epoch {
    return this.epochs.find(({ roots }) => roots.includes(root))!;
  }

  /** Returns when a root was replaced, in milliseconds since 1970, or Infinity for a latest root. */
  replacedMs(root: bigint): number {
    const first = this.epochs.indexOf(this.createdIn(root));
    return this.epochs.slice(first).find(({ roots }) => !roots.includes(root))?.ms ?? Infinity;
  }

  /**
   * Records an edit that the server has made, and checks that it changed whole objects and no others.
   *
   * @param joined The supervoxels that a merge must put together.
   */
  async record(
    operationId: number,
    newRoots: BigUint64Array,
    isMerge: boolean,
    joined?: bigint[],
  ): Promise<void> {
    const after = sorted(newRoots),
      times = new Set(await this.#server.createdMs(after)),
      ms = Math.max(...times),
      roots = await this.#server.ancestors(ms),
      before = this.last.roots;
    const changed = this.#server.supervoxels.filter((_id, k) => after.includes(roots[k])),
      replaced = sorted(changed.map((id) => this.rootOf(id)));
    const without = (list: bigint[], edited: bigint[]): bigint[] =>
      list.map((id) => (edited.includes(id) ? 0n : id));
    const check = this.#checks.check.bind(this.#checks);
    check(`operation ${operationId}: new roots have one timestamp`, times.size, 1);
    check(`operation ${operationId}: roots just before it`, await this.#server.ancestors(ms - 1), before);
    check(`operation ${operationId}: whole objects`, without(roots, after), without(before, replaced));
    if (joined) check(`operation ${operationId}: the requested supervoxels`, sorted(changed), sorted(joined));
    this.epochs.push({ ms, roots });
    this.edits.push({ operationId, ms, before: replaced, after, isMerge });
  }

  /** All edits as steps between epochs, including those that the server started with. */
  get steps(): { before: bigint[]; after: bigint[] }[] {
    return this.epochs.slice(1).map(({ roots }, k) => {
      const { roots: earlier } = this.epochs[k],
        changed = [...roots.keys()].filter((n) => roots[n] !== earlier[n]);
      return { before: sorted(changed.map((n) => earlier[n])), after: sorted(changed.map((n) => roots[n])) };
    });
  }

  /** Returns the roots at a timestamp that edits lead to from a root, forwards or backwards in time. */
  related(root: bigint, toMs: number): bigint[] {
    const createdMs = (id: bigint): number => this.createdIn(id).ms,
      forward = createdMs(root) <= toMs,
      latest = new Set(this.at(toMs).roots);
    return sorted(this.#reached(root, forward)).filter(
      (id) =>
        latest.has(id) && (forward ? createdMs(id) >= createdMs(root) : createdMs(id) <= createdMs(root)),
    );
  }

  /** Returns the roots of the first epoch that a root was made of. */
  originals(root: bigint): bigint[] {
    return sorted(this.#reached(root, false)).filter((id) => this.epochs[0].roots.includes(id));
  }

  #reached(root: bigint, forward: boolean): Set<bigint> {
    const seen = new Set([root]),
      { steps } = this;
    for (const node of seen)
      for (const { before, after } of steps) {
        const [from, to] = forward ? [before, after] : [after, before];
        if (from.includes(node)) for (const next of to) seen.add(next); // the loop also visits added items
      }
    return seen;
  }
}

/**
 * What every check needs. `random(below)` returns an integer from 0 to `below` - 1; `pick` returns an item of a
 * list.
 */
export interface LiveContext {
  graph: ChunkedGraph;
  server: PcgServer;
  ledger: Ledger;
  check: Checks['check'];
  random: (below: number) => number;
  pick: <T>(list: readonly T[]) => T;
}
