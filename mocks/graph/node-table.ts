/**
 * The nodes of a chunkedgraph, their children, and their parents over time. Nodes are small integers; IDs are
 * looked up once.
 *
 * As in the real graph, entries are only added. A node's children never change, unless a supervoxel is split,
 * and a new parent is a new entry with its time.
 */
import { wordsOf } from '../../lib/base/uint64.ts';
import { Uint64Index } from './uint64-index.ts';
import { wordsOfId } from './node-id-layout.ts';
import { IntList } from './int-list.ts';

/** The parents that a node had before its current parent, oldest first. */
interface FormerParents {
  sinceMs: number[];
  parents: number[];
}

/** The table of nodes. Supervoxels come first, in ascending order of their IDs. */
export class NodeTable {
  #capacity: number;
  /** IDs as pairs of uint32, low word first. */
  #words: Uint32Array;
  #createdMs: Float64Array;
  /** The newest parent, -1 for none. `#parentSinceMs` says since when. */
  #parent: Int32Array;
  #parentSinceMs: Float64Array;
  /** 1 for a root that an edit has replaced. */
  #retired: Uint8Array;
  #childStart: Int32Array;
  #count = 0;
  readonly #children: IntList;
  readonly #former = new Map<number, FormerParents>();
  readonly #index: Uint64Index;
  /** The children of nodes below which a supervoxel was split. */
  readonly #newChildren = new Map<number, Int32Array>();

  /** @param expected How many nodes will be added. Too low a number costs only time. */
  constructor(expected = 1024) {
    this.#capacity = Math.max(expected, 16);
    this.#words = new Uint32Array(2 * this.#capacity);
    this.#createdMs = new Float64Array(this.#capacity);
    this.#parent = new Int32Array(this.#capacity).fill(-1);
    this.#parentSinceMs = new Float64Array(this.#capacity);
    this.#retired = new Uint8Array(this.#capacity);
    this.#childStart = new Int32Array(this.#capacity + 1);
    this.#children = new IntList(2 * this.#capacity);
    this.#index = new Uint64Index(this.#capacity);
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Adds a node.
   * @param children The nodes whose parent it is from `createdMs` on; none for a supervoxel.
   * @throws RangeError when a node with this ID exists.
   */
  add(low: number, high: number, createdMs: number, children: ArrayLike<number>): number {
    if (this.#count === this.#capacity) this.#grow();
    const node = this.#count++;
    this.#words[2 * node] = low;
    this.#words[2 * node + 1] = high;
    if (this.#index.get(low, high) >= 0) throw new RangeError(`two nodes have the ID ${this.idOf(node)}`);
    this.#index.set(low, high, node);
    this.#createdMs[node] = createdMs;
    for (let k = 0; k < children.length; k++) {
      this.#children.push(children[k]);
      this.#adopt(children[k], node, createdMs);
    }
    this.#childStart[node + 1] = this.#children.length;
    return node;
  }

  /** Adds a node that has the same parents as another, since the same times, and is nobody's child yet. */
  addAlike(low: number, high: number, other: number): number {
    const node = this.add(low, high, this.#createdMs[other], []),
      former = this.#former.get(other);
    this.#parent[node] = this.#parent[other];
    this.#parentSinceMs[node] = this.#parentSinceMs[other];
    if (former) this.#former.set(node, { sinceMs: [...former.sinceMs], parents: [...former.parents] });
    return node;
  }

  /** Replaces a child of all its parents, now and before, by other nodes. */
  replaceChild(child: number, by: readonly number[]): void {
    for (const parent of new Set([this.#parent[child], ...(this.#former.get(child)?.parents ?? [])]))
      if (parent >= 0)
        this.#newChildren.set(
          parent,
          Int32Array.from([...this.childrenOf(parent).filter((own) => own !== child), ...by]),
        );
  }

  /** The node with this ID, or -1. */
  find(low: number, high: number): number {
    return this.#index.get(low, high);
  }

  findId(id: bigint): number {
    return this.#index.get(...wordsOfId(id));
  }

  idOf(node: number): bigint {
    return (BigInt(this.#words[2 * node + 1]) << 32n) | BigInt(this.#words[2 * node]);
  }

  idsOf(nodes: ArrayLike<number>): BigUint64Array {
    const ids = new BigUint64Array(nodes.length);
    const words = wordsOf(ids);
    for (let k = 0; k < nodes.length; k++) {
      words[2 * k] = this.#words[2 * nodes[k]];
      words[2 * k + 1] = this.#words[2 * nodes[k] + 1];
    }
    return ids;
  }

  lowWord(node: number): number {
    return this.#words[2 * node];
  }

  highWord(node: number): number {
    return this.#words[2 * node + 1];
  }

  /** Compares by ID, for `sort`. */
  compare(a: number, b: number): number {
    return this.highWord(a) - this.highWord(b) || this.lowWord(a) - this.lowWord(b);
  }

  /** The children of a node, as a view that is valid until the next `add`. */
  childrenOf(node: number): Int32Array {
    return (
      this.#newChildren.get(node) ?? this.#children.view(this.#childStart[node], this.#childStart[node + 1])
    );
  }

  createdMs(node: number): number {
    return this.#createdMs[node];
  }

  isRetired(root: number): boolean {
    return this.#retired[root] === 1;
  }

  retire(root: number): void {
    this.#retired[root] = 1;
  }

  /** The newest parent; -1 when there is none. */
  parentNow(node: number): number {
    return this.#parent[node];
  }

  /** The parent at a timestamp, inclusive; -1 when the node had no parent yet. */
  parentAt(node: number, timeMs: number): number {
    if (this.#parentSinceMs[node] <= timeMs) return this.#parent[node];
    const former = this.#former.get(node);
    if (!former) return -1;
    let from = 0,
      to = former.sinceMs.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (former.sinceMs[middle] <= timeMs) from = middle + 1;
      else to = middle;
    }
    return from === 0 ? -1 : former.parents[from - 1];
  }

  /** The times at which the node got a parent, oldest first. */
  parentTimesMs(node: number): number[] {
    return this.#parent[node] < 0
      ? []
      : [...(this.#former.get(node)?.sinceMs ?? []), this.#parentSinceMs[node]];
  }

  #adopt(child: number, parent: number, sinceMs: number): void {
    if (this.#parent[child] >= 0) {
      let former = this.#former.get(child);
      if (!former) this.#former.set(child, (former = { sinceMs: [], parents: [] }));
      former.sinceMs.push(this.#parentSinceMs[child]);
      former.parents.push(this.#parent[child]);
    }
    this.#parent[child] = parent;
    this.#parentSinceMs[child] = sinceMs;
  }

  #grow(): void {
    const larger = <T extends Uint32Array | Float64Array | Int32Array | Uint8Array>(
      old: T,
      size: number,
    ): T => {
      const array = new (old.constructor as new (length: number) => T)(size);
      array.set(old);
      return array;
    };
    this.#capacity *= 2;
    this.#words = larger(this.#words, 2 * this.#capacity);
    this.#createdMs = larger(this.#createdMs, this.#capacity);
    this.#parent = larger(this.#parent, this.#capacity).fill(-1, this.#count);
    this.#parentSinceMs = larger(this.#parentSinceMs, this.#capacity);
    this.#retired = larger(this.#retired, this.#capacity);
    this.#childStart = larger(this.#childStart, this.#capacity + 1);
  }
}
