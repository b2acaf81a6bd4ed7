/**
 * The nodes of a chunkedgraph and who was whose parent when. As in the real one nothing is ever changed, only added: a node's
 * children are fixed, and a new parent is one more entry with its time. Nodes are small integers here; IDs are looked up once.
 */
import { wordsOf } from '../lib/base/uint64.ts';
import { IdIndex } from './id-index.ts';
import { Timeline } from './timeline.ts';

export class NodeHistory {
  #ids = new BigUint64Array(1024);
  #words = wordsOf(this.#ids);
  #count = 0;
  readonly #index = new IdIndex();
  readonly #created: number[] = [];
  readonly #replaced = new Map<number, number>();
  readonly #children: (readonly number[])[] = [];
  readonly #parents = new Timeline();

  /**
   * @param children Nodes that have this one as their parent from `createdMs` on; none for a supervoxel.
   * @throws RangeError when there is a node with this ID.
   */
  add(id: bigint, createdMs: number, children: readonly number[]): number {
    const node = this.#count++;
    if (node === this.#ids.length) {
      const larger = new BigUint64Array(2 * node);
      larger.set(this.#ids);
      this.#ids = larger;
      this.#words = wordsOf(larger);
    }
    this.#ids[node] = id;
    const low = this.#words[2 * node], high = this.#words[2 * node + 1];
    if (this.#index.get(low, high) >= 0) throw new RangeError(`two nodes have the ID ${id}`);
    this.#index.set(low, high, node);
    this.#created.push(createdMs);
    this.#children.push(children);
    for (const child of children) this.#parents.set(child, createdMs, node);
    return node;
  }

  /** The node with this ID, or -1. */
  find(low: number, high: number): number {
    return this.#index.get(low, high);
  }

  findId(id: bigint): number {
    return this.#index.get(Number(id & 0xffffffffn), Number(id >> 32n));
  }

  idOf(node: number): bigint {
    return this.#ids[node];
  }

  lowWord(node: number): number {
    return this.#words[2 * node];
  }

  highWord(node: number): number {
    return this.#words[2 * node + 1];
  }

  childrenOf(node: number): readonly number[] {
    return this.#children[node];
  }

  createdMs(node: number): number {
    return this.#created[node];
  }

  /** When another root took over; Infinity for one that still stands. */
  replacedMs(root: number): number {
    return this.#replaced.get(root) ?? Infinity;
  }

  replace(root: number, timeMs: number): void {
    this.#replaced.set(root, timeMs);
  }

  /** The parent at a time, that moment included; -1 when it had none yet. */
  parentAt(node: number, timeMs: number): number {
    return this.#parents.at(node, timeMs);
  }
}
