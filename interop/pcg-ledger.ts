/** Our own book of a graph's edits: which supervoxels were one object, and when. It never asks the SDK. */
import type { ChunkedGraph } from '../lib/index.ts';
import { PcgServer, sorted, type Checks } from './pcg-server.ts';

/** The root of every supervoxel from a moment on. */
export interface Epoch {
  ms: number;
  roots: bigint[];
}

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

  /** With the edits that the server began with. */
  static async open(server: PcgServer, checks: Checks): Promise<Ledger> {
    const ledger = new Ledger(server, checks);
    for (const ms of server.firstMoments) ledger.epochs.push({ ms, roots: await server.ancestors(ms) });
    return ledger;
  }

  get last(): Epoch {
    return this.epochs[this.epochs.length - 1];
  }

  at(ms: number): Epoch {
    return this.epochs.findLast((epoch) => epoch.ms <= ms)!;
  }

  ofRoot(root: bigint, { roots }: Epoch = this.last): bigint[] {
    return this.#server.supervoxels.filter((_id, k) => roots[k] === root);
  }

  rootOf(supervoxel: bigint, { roots }: Epoch = this.last): bigint {
    return roots[this.#server.place.get(supervoxel)!];
  }

  /** All roots there ever were, ascending. */
  get ever(): bigint[] {
    return sorted(this.epochs.flatMap(({ roots }) => roots));
  }

  /** From when on something is a root. */
  madeIn(root: bigint): Epoch {
    return this.epochs.find(({ roots }) => roots.includes(root))!;
  }

  /** When a root was replaced; Infinity while it stands. */
  endOf(root: bigint): number {
    const first = this.epochs.indexOf(this.madeIn(root));
    return this.epochs.slice(first).find(({ roots }) => !roots.includes(root))?.ms ?? Infinity;
  }

  /**
   * An edit that was answered. Objects are whole before and after, and all that it does not name stay as they were.
   * @param joined What a merge puts together.
   */
  async note(
    operationId: number,
    newRoots: BigUint64Array,
    isMerge: boolean,
    joined?: bigint[],
  ): Promise<void> {
    const after = sorted(newRoots),
      times = new Set(await this.#server.madeAt(after)),
      ms = Math.max(...times),
      roots = await this.#server.ancestors(ms),
      before = this.last.roots;
    const changed = this.#server.supervoxels.filter((_id, k) => after.includes(roots[k])),
      gone = sorted(changed.map((id) => this.rootOf(id)));
    const others = (list: bigint[], made: bigint[]): bigint[] =>
      list.map((id) => (made.includes(id) ? 0n : id));
    const check = this.#checks.check.bind(this.#checks);
    check(`operation ${operationId}: new roots of one moment`, times.size, 1);
    check(`operation ${operationId}: roots just before it`, await this.#server.ancestors(ms - 1), before);
    check(`operation ${operationId}: whole objects`, others(roots, after), others(before, gone));
    if (joined) check(`operation ${operationId}: what was asked for`, sorted(changed), sorted(joined));
    this.epochs.push({ ms, roots });
    this.edits.push({ operationId, ms, before: gone, after, isMerge });
  }

  /** Edits as steps between epochs, those before our own included. */
  get steps(): { before: bigint[]; after: bigint[] }[] {
    return this.epochs.slice(1).map(({ roots }, k) => {
      const { roots: earlier } = this.epochs[k],
        changed = [...roots.keys()].filter((n) => roots[n] !== earlier[n]);
      return { before: sorted(changed.map((n) => earlier[n])), after: sorted(changed.map((n) => roots[n])) };
    });
  }

  /** Roots of a moment that lead to a root by edits, or come of it. */
  related(root: bigint, toMs: number): bigint[] {
    const made = (id: bigint): number => this.madeIn(id).ms,
      forward = made(root) <= toMs,
      standing = new Set(this.at(toMs).roots);
    return sorted(this.#reached(root, forward)).filter(
      (id) => standing.has(id) && (forward ? made(id) >= made(root) : made(id) <= made(root)),
    );
  }

  /** Roots that a root was made of in the beginning. */
  originals(root: bigint): bigint[] {
    return sorted(this.#reached(root, false)).filter((id) => this.epochs[0].roots.includes(id));
  }

  #reached(root: bigint, forward: boolean): Set<bigint> {
    const seen = new Set([root]),
      { steps } = this;
    for (const node of seen)
      for (const { before, after } of steps) {
        const [from, to] = forward ? [before, after] : [after, before];
        if (from.includes(node)) for (const next of to) seen.add(next); // a Set goes on to what is added
      }
    return seen;
  }
}

/** What all checks are handed. */
export interface Live {
  graph: ChunkedGraph;
  server: PcgServer;
  ledger: Ledger;
  check: Checks['check'];
  random: (below: number) => number;
  one: <T>(list: readonly T[]) => T;
}
