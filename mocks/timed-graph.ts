/**
 * A chunkedgraph with its edits in time: supervoxels and edges below, the hierarchy of nodes computed above them.
 *
 * The rules are the real server's (PyChunkedGraph, pychunkedgraph/graph/edits.py and ingest/create/): a layer-2 node is a
 * connected component within a graph chunk; at each layer above, chunks join two by two along each axis, connected nodes get a
 * common parent, and a node with nobody to join skips the layers at which no edge leaves it. An edit gives new nodes to the
 * chunks it touches and to everything above them; all else keeps its ID.
 */
import { Disjoint } from './disjoint.ts';
import type { IdLayout } from './id-layout.ts';
import { NodeHistory } from './node-history.ts';
import { Timeline } from './timeline.ts';

/** Names a new root by its smallest supervoxel; undefined leaves the choice to the graph. */
export type NameRoot = (supervoxel: bigint) => bigint | undefined;

export type Edge = readonly [bigint, bigint];

export interface TimedEdit {
  timeMs: number;
  added: readonly Edge[];
  removed: readonly Edge[];
  nameRoot: NameRoot;
}

export class TimedGraph {
  /** Supervoxels come first, in ascending order of their IDs. */
  readonly nodes = new NodeHistory();
  /** Root of each supervoxel: where most climbs go, in one step. */
  readonly #roots = new Timeline();
  /** By supervoxel: the other ends of the edges that stand now. */
  readonly #neighbours: number[][];
  /** xyz of each supervoxel's graph chunk. */
  readonly #chunks: Int32Array;
  /** Last segment given out in a chunk, by the chunk's ID. */
  readonly #lastSegment = new Map<bigint, bigint>();
  #newestMs: number;

  constructor(
    readonly layout: IdLayout,
    supervoxels: BigUint64Array,
    edges: readonly Edge[],
    readonly baseMs: number,
    nameRoot: NameRoot,
  ) {
    const sorted = supervoxels.slice().sort();
    const all = Array.from(sorted, (id) => this.nodes.add(id, baseMs, []));
    this.#newestMs = baseMs;
    this.#neighbours = all.map(() => []);
    this.#chunks = new Int32Array(3 * all.length);
    for (const node of all) {
      const low = this.nodes.lowWord(node), high = this.nodes.highWord(node);
      if (layout.layerOf(high) !== 1) throw new RangeError(`${sorted[node]} is no supervoxel: its layer is ${layout.layerOf(high)}, not 1`);
      for (let axis = 0; axis < 3; axis++) this.#chunks[3 * node + axis] = layout.chunkCoordinate(low, high, axis);
    }
    for (const edge of edges) this.#link(edge);
    this.#build(this.#groupInChunks(all, baseMs), baseMs, nameRoot);
  }

  /** @throws RangeError for an edit that is older than the one before, or that names unknown supervoxels or edges. */
  apply({ timeMs, added, removed, nameRoot }: TimedEdit): void {
    if (timeMs < this.#newestMs) throw new RangeError('edits must be given in the order of their times');
    this.#newestMs = timeMs;
    for (const edge of removed) this.#unlink(edge);
    for (const edge of added) this.#link(edge);
    const ends = [...added, ...removed].flat().map((id) => this.supervoxel(id));
    const oldRoots = new Set(ends.map((end) => this.#roots.at(end, Infinity)));
    const touched = new Set(ends.map((end) => this.#parentNow(end)));
    const kept = [...oldRoots].flatMap((root) => this.below(root, 2)).filter((node) => !touched.has(node));
    const regrouped = this.#groupInChunks([...touched].flatMap((node) => this.nodes.childrenOf(node)).sort((a, b) => a - b), timeMs);
    for (const root of oldRoots) this.nodes.replace(root, timeMs);
    this.#build([...kept, ...regrouped], timeMs, nameRoot);
  }

  /** @throws RangeError when there is none with this ID. */
  supervoxel(id: bigint): number {
    const node = this.nodes.findId(id);
    if (node < 0 || node >= this.#neighbours.length) throw new RangeError(`there is no supervoxel ${id}`);
    return node;
  }

  /**
   * The first ancestor of a node at or above `layer`, as things stood at a time; the node itself when it is there already.
   * -1 when the node had no parent yet.
   */
  ancestorAt(node: number, layer: number, timeMs: number): number {
    if (layer === this.layout.layers && node < this.#neighbours.length) return this.#roots.at(node, timeMs);
    while (node >= 0 && this.layerOf(node) < layer) node = this.nodes.parentAt(node, timeMs);
    return node;
  }

  layerOf(node: number): number {
    return this.layout.layerOf(this.nodes.highWord(node));
  }

  /** Descendants of a node that are at `layer`, or below it where a node skips it; not the node itself. */
  below(node: number, layer: number): number[] {
    return this.nodes.childrenOf(node).flatMap((child) => (this.layerOf(child) <= layer ? [child] : this.below(child, layer)));
  }

  neighboursOf(supervoxel: number): readonly number[] {
    return this.#neighbours[supervoxel];
  }

  #parentNow(node: number): number {
    return this.nodes.parentAt(node, Infinity);
  }

  #link([a, b]: Edge): void {
    const from = this.supervoxel(a), to = this.supervoxel(b);
    if (from === to || this.#neighbours[from].includes(to)) return;
    this.#neighbours[from].push(to);
    this.#neighbours[to].push(from);
  }

  #unlink([a, b]: Edge): void {
    const from = this.supervoxel(a), to = this.supervoxel(b);
    const at = this.#neighbours[from].indexOf(to);
    if (at < 0) throw new RangeError(`there is no edge between ${a} and ${b} to remove`);
    this.#neighbours[from].splice(at, 1);
    this.#neighbours[to].splice(this.#neighbours[to].indexOf(from), 1);
  }

  /** The layer at which an edge still crosses between two chunks, while at the next both ends are in one; 1 within a graph chunk. */
  #crossingLayer(a: number, b: number): number {
    let differing = 0;
    for (let axis = 0; axis < 3; axis++) differing |= this.#chunks[3 * a + axis] ^ this.#chunks[3 * b + axis];
    return Math.min(33 - Math.clz32(differing), this.layout.layers - 1); // no differing bit: 1; the lowest alone: 2; …
  }

  /** New layer-2 nodes for supervoxels (ascending) of whole layer-2 nodes. */
  #groupInChunks(supervoxels: readonly number[], timeMs: number): number[] {
    const sets = new Disjoint();
    for (const a of supervoxels) for (const b of this.#neighbours[a]) if (a < b && this.#crossingLayer(a, b) === 1) sets.join(a, b);
    const groups = new Map<number, number[]>();
    for (const supervoxel of supervoxels) {
      const first = sets.find(supervoxel);
      const group = groups.get(first);
      if (group) group.push(supervoxel);
      else groups.set(first, [supervoxel]);
    }
    return Array.from(groups, ([first, group]) => this.nodes.add(this.#newId(2, first), timeMs, group));
  }

  #build(layer2: readonly number[], timeMs: number, nameRoot: NameRoot): void {
    this.#connect(layer2, timeMs, nameRoot);
    for (const node of layer2) {
      const root = this.ancestorAt(node, this.layout.layers, timeMs);
      for (const supervoxel of this.nodes.childrenOf(node)) this.#roots.set(supervoxel, timeMs, root);
    }
  }

  /**
   * The hierarchy above layer-2 nodes of whole objects. A parent that has exactly the right children already is kept.
   * Every object is named by its smallest supervoxel, `first`, and `tops` holds its highest nodes so far.
   */
  #connect(layer2: readonly number[], timeMs: number, nameRoot: NameRoot): void {
    const { layers } = this.layout;
    const sets = new Disjoint();
    const tops = new Map<number, number[]>();
    const firstOf = new Map<number, number>(); // of a supervoxel's layer-2 node
    for (const node of layer2) {
      const members = this.nodes.childrenOf(node);
      tops.set(members[0], [node]);
      for (const member of members) firstOf.set(member, members[0]);
    }
    const crossing: (readonly [number, number])[][] = Array.from({ length: layers }, () => []);
    for (const [a, first] of firstOf)
      for (const b of this.#neighbours[a]) {
        const layer = a < b ? this.#crossingLayer(a, b) : 1;
        if (layer > 1) crossing[layer].push([first, firstOf.get(b)!]);
      }
    for (let layer = 3; layer <= layers; layer++) {
      for (const [a, b] of crossing[layer - 1]) {
        const gone = sets.join(a, b);
        if (gone === undefined) continue;
        const joined = tops.get(sets.find(gone))!;
        for (const node of tops.get(gone)!) joined.push(node);
        tops.delete(gone);
      }
      const leaving = layer < layers ? [...crossing[layer - 1], ...crossing[layer]].map(([a]) => a) : [];
      const entering = layer < layers ? crossing[layer].map(([, b]) => b) : [...tops.keys()];
      const getParent = new Set([...leaving, ...entering].map((first) => sets.find(first)));
      for (const first of [...getParent].sort((a, b) => a - b)) tops.set(first, [this.#parentOf(tops.get(first)!, layer, first, timeMs, nameRoot)]);
    }
  }

  #parentOf(children: number[], layer: number, first: number, timeMs: number, nameRoot: NameRoot): number {
    const parent = this.#parentNow(children[0]);
    const same =
      parent >= 0 && this.layerOf(parent) === layer && this.nodes.childrenOf(parent).length === children.length && children.every((child) => this.#parentNow(child) === parent);
    if (same) return parent;
    const name = layer === this.layout.layers ? nameRoot(this.nodes.idOf(first)) : undefined;
    return this.nodes.add(name === undefined ? this.#newId(layer, first) : this.#named(name, layer), timeMs, children);
  }

  #newId(layer: number, supervoxel: number): bigint {
    const at = (axis: number): number => (layer === this.layout.layers ? 0 : this.#chunks[3 * supervoxel + axis] >> (layer - 2));
    const chunk = this.layout.chunkId(layer, [at(0), at(1), at(2)]);
    const segment = (this.#lastSegment.get(chunk) ?? 0n) + 1n;
    this.#lastSegment.set(chunk, segment);
    return chunk | segment;
  }

  /** Takes an ID that the graph's maker chose; later ones of its chunk come after it. */
  #named(id: bigint, layer: number): bigint {
    if (this.layout.layerOf(Number(id >> 32n)) !== layer) throw new RangeError(`${id} is no root ID: its layer is not ${layer}`);
    const segment = this.layout.segmentOf(id);
    const chunk = id - segment;
    if (segment > (this.#lastSegment.get(chunk) ?? 0n)) this.#lastSegment.set(chunk, segment);
    return id;
  }
}
