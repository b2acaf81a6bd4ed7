/**
 * A chunkedgraph with its edits over time. The hierarchy of nodes is computed from supervoxels and edges. An
 * edit makes new nodes only in the graph chunks that it touches and above them; all other nodes keep their
 * IDs. Source: PyChunkedGraph, pychunkedgraph/graph/edits.py.
 */
import { buildBase } from './base-hierarchy.ts';
import { EdgeTable, type Edge, type EdgeList, type Edges } from './edge-table.ts';
import type { NodeIdLayout } from './node-id-layout.ts';
import { Lineage } from './lineage.ts';
import { NodeIds } from './node-ids.ts';
import { NodeTable } from './node-table.ts';
import { buildAncestors, type ChooseRootId } from './build-ancestors.ts';
import { regroup } from './regroup.ts';

/** An edit to apply: edges to add and remove, and its timestamp. */
export interface TimedEdit {
  timeMs: number;
  added: readonly Edge[];
  removed: readonly Edge[];
  /** Operation ID. @default 0: none */
  operation?: number;
  nameRoot?: ChooseRootId;
}

/** The nodes that an edit replaced and made. */
export interface AppliedEdit {
  oldRoots: number[];
  newRoots: number[];
  newLayer2: number[];
}

export interface TimedGraphOptions {
  /**
   * Whether removed edges stay removed. Within a graph chunk the real server only knows that an edge exists:
   * a removed or inactive edge is active again as soon as its ends are in one layer-2 node.
   */
  exact: boolean;
}

/** A chunkedgraph that answers for any timestamp. */
export class TimedGraph {
  readonly lineage = new Lineage();
  readonly edges: EdgeTable;
  /**
   * Number of supervoxels at base. They are the first nodes, in ascending order of their IDs. The parts of
   * supervoxels that were split are later nodes.
   */
  readonly supervoxels: number;
  /** Graph chunk of each supervoxel, xyz. */
  #chunks: Int32Array;
  readonly #ids: NodeIds;
  readonly #edgesOf = new Map<number, Edges>();
  /** The root that the last look-up of each supervoxel found, -1 for none. It saves most climbs. */
  #root: Int32Array;
  #newestMs: number;

  /** @param nodes The supervoxels in ascending order, and no other nodes. */
  constructor(
    readonly layout: NodeIdLayout,
    readonly nodes: NodeTable,
    edges: EdgeList,
    readonly baseMs: number,
    readonly options: TimedGraphOptions,
    nameRoot?: ChooseRootId,
  ) {
    this.supervoxels = nodes.count;
    this.#ids = new NodeIds(layout);
    this.#newestMs = baseMs;
    this.#root = new Int32Array(nodes.count).fill(-1);
    this.#chunks = new Int32Array(3 * nodes.count);
    for (let node = 0; node < nodes.count; node++) {
      const low = nodes.lowWord(node),
        high = nodes.highWord(node);
      if (layout.layerOf(high) !== 1)
        throw new RangeError(
          `${nodes.idOf(node)} is not a supervoxel: its layer is ${layout.layerOf(high)}, not 1`,
        );
      for (let axis = 0; axis < 3; axis++)
        this.#chunks[3 * node + axis] = layout.chunkCoordinate(low, high, axis);
    }
    this.edges = new EdgeTable(nodes.count, edges);
    const { ends, active } = edges;
    const layers = Uint8Array.from({ length: ends.length / 2 }, (_, e) =>
      active?.[e] === 0 ? 0 : this.crossingLayer(ends[2 * e], ends[2 * e + 1]),
    );
    buildBase(nodes.count, layout.layers, { ends, layers }, (layer, first, children) =>
      this.#add(layer, first, baseMs, children, layer === layout.layers ? nameRoot?.(first) : undefined),
    );
  }

  /** Timestamp of the newest edit, in milliseconds since 1970. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** Makes an edit. @throws RangeError for an edit that is older than the newest one. */
  apply({ timeMs, added, removed, operation = 0, nameRoot }: TimedEdit): AppliedEdit {
    if (timeMs < this.#newestMs) throw new RangeError('edits must be given in the order of their times');
    this.#newestMs = timeMs;
    for (const [a, b] of added) {
      if (this.edges.has(a, b)) continue;
      if (this.crossingLayer(a, b) === 1) this.edges.add(b, a);
      else this.edges.add(a, b);
    }
    const touched = [...new Set([...added, ...removed].flat().map((end) => this.nodes.parentNow(end)))];
    const oldRoots = [...this.rootsNow(touched)];
    const newLayer2 = regroup(this, touched, added, removed).map(({ members, edges }) => {
      const node = this.#add(2, members[0], timeMs, members);
      this.#edgesOf.set(node, edges);
      return node;
    });
    const newRoots = buildAncestors(
      this,
      newLayer2,
      (layer, below, children, name) => this.#add(layer, below, timeMs, children, name),
      nameRoot,
    );
    for (const root of oldRoots) this.nodes.retire(root);
    this.lineage.record({ timeMs, operation, from: oldRoots, to: newRoots });
    return { oldRoots, newRoots, newLayer2 };
  }

  /** The node of a supervoxel ID. @throws RangeError for an unknown ID. */
  supervoxel(id: bigint): number {
    const node = this.nodes.findId(id);
    if (!this.isSupervoxel(node)) throw new RangeError(`there is no supervoxel ${id}`);
    return node;
  }

  isSupervoxel(node: number): boolean {
    return node >= 0 && (node < this.supervoxels || this.layerOf(node) === 1);
  }

  /**
   * The first ancestor of a node at or above `layer` at a timestamp; the node itself if it is at or above
   * `layer`, and -1 if it had no parent yet.
   */
  ancestorAt(node: number, layer: number, timeMs: number): number {
    if (layer === this.layout.layers && this.isSupervoxel(node)) return this.#rootAt(node, timeMs);
    return this.#ancestorAt(node, layer, timeMs);
  }

  #rootAt(supervoxel: number, timeMs: number): number {
    const known = this.#root[supervoxel];
    const isValid = known >= 0 && this.nodes.createdMs(known) <= timeMs && !this.nodes.isRetired(known);
    if (isValid) return known;
    return (this.#root[supervoxel] = this.#ancestorAt(supervoxel, this.layout.layers, timeMs));
  }

  #ancestorAt(node: number, layer: number, timeMs: number): number {
    while (node >= 0 && this.layerOf(node) < layer) node = this.nodes.parentAt(node, timeMs);
    return node;
  }

  rootNow(node: number): number {
    return this.ancestorAt(node, this.layout.layers, Infinity);
  }

  rootsNow(nodes: readonly number[]): Set<number> {
    return new Set(nodes.map((node) => this.rootNow(node)));
  }

  layerOf(node: number): number {
    return this.layout.layerOf(this.nodes.highWord(node));
  }

  chunkOf(supervoxel: number): Int32Array {
    return this.#chunks.subarray(3 * supervoxel, 3 * supervoxel + 3);
  }

  /** The highest layer at which an edge crosses between two chunks; 1 within a graph chunk. */
  crossingLayer(a: number, b: number): number {
    let differing = 0;
    for (let axis = 0; axis < 3; axis++) differing |= this.#chunks[3 * a + axis] ^ this.#chunks[3 * b + axis];
    // no differing bit: 1; only the lowest: 2; …
    return Math.min(33 - Math.clz32(differing), this.layout.layers - 1);
  }

  /**
   * The active edges of a node, from its own layer up. A layer-2 node of an exact graph also has those within
   * its graph chunk.
   */
  edgesOf(node: number): Edges {
    let edges = this.#edgesOf.get(node);
    if (!edges)
      this.#edgesOf.set(
        node,
        (edges = this.layerOf(node) === 2 ? this.#baseEdgesOf(node) : this.#gatheredEdges(node)),
      );
    return edges;
  }

  #baseEdgesOf(layer2: number): Edges {
    const found = this.#noEdges();
    for (const own of this.nodes.childrenOf(layer2))
      this.edges.forEach(own, (other, handle) => {
        if (this.edges.isActiveAtBase(handle)) found[this.crossingLayer(own, other)].push(own, other);
      });
    return found;
  }

  #gatheredEdges(node: number): Edges {
    const found = this.#noEdges();
    for (const child of Array.from(this.nodes.childrenOf(node))) {
      const edges = this.edgesOf(child);
      for (let layer = this.layerOf(node); layer < this.layout.layers; layer++)
        for (const end of edges[layer]) found[layer].push(end);
    }
    return found;
  }

  #noEdges(): number[][] {
    return Array.from({ length: this.layout.layers }, () => []);
  }

  /**
   * Splits a supervoxel. Each part has a new ID and the parents of the supervoxel, since the same times. The
   * supervoxel keeps its parents, but is nobody's child any more. The parts are connected in a chain, until an
   * edit removes these edges. Source: PyChunkedGraph, branch pcgv3, graph/edits_sv.py,
   * copy_parents_and_add_lineage.
   *
   * @param partOf The part that gets the edges to another supervoxel.
   * @returns The parts, as nodes.
   */
  splitSupervoxel(old: number, count: number, partOf: (other: number) => number): number[] {
    const parts = Array.from({ length: count }, () => this.#addPart(old));
    this.#cacheEdgesAround(old);
    const neighbours = new Set<number>();
    this.edges.forEach(old, (other) => neighbours.add(other));
    this.nodes.replaceChild(old, parts);
    this.edges.retire(old);
    for (const other of neighbours) this.edges.add(parts[partOf(other)], other);
    const chain = parts.slice(1).map((part, k): Edge => [parts[k], part]);
    for (const [a, b] of chain) this.edges.add(a, b);
    for (const [node, edges] of this.#edgesOf) {
      if (!edges.some((ends) => ends.includes(old))) continue;
      this.#edgesOf.set(
        node,
        edges.map((ends) => ends.map((end, k) => (end === old ? parts[partOf(ends[k ^ 1])] : end))),
      );
    }
    const layer2 = this.nodes.parentNow(old),
      own = this.edgesOf(layer2).map((ends) => [...ends]);
    for (const [a, b] of chain) own[1].push(a, b, b, a);
    this.#edgesOf.set(layer2, own);
    return parts;
  }

  /** Adds a supervoxel in the graph chunk of another, with its parents. */
  #addPart(old: number): number {
    const { nodes, layout } = this,
      chunk = this.chunkOf(old),
      prefix = layout.chunkIdOf(nodes.idOf(old));
    for (let node = 0; node < nodes.count; node++)
      if (this.isSupervoxel(node) && layout.chunkIdOf(nodes.idOf(node)) === prefix)
        this.#ids.reserve(nodes.idOf(node), 1);
    const part = nodes.addAlike(...this.#ids.next(1, chunk[0], chunk[1], chunk[2]), old);
    const chunks = new Int32Array(3 * nodes.count),
      root = new Int32Array(nodes.count).fill(-1);
    chunks.set(this.#chunks);
    chunks.set(chunk, 3 * part);
    root.set(this.#root);
    [this.#chunks, this.#root] = [chunks, root];
    return part;
  }

  /** Finds the edges of all nodes above a supervoxel and its neighbours while the supervoxel is still whole. */
  #cacheEdgesAround(supervoxel: number): void {
    const around = [supervoxel];
    this.edges.forEach(supervoxel, (other) => around.push(other));
    for (const member of around)
      for (let node = this.nodes.parentNow(member); node >= 0; node = this.nodes.parentNow(node))
        this.edgesOf(node);
  }

  /** Adds a node. @param supervoxel Any supervoxel below it: it determines the graph chunk. */
  #add(
    layer: number,
    supervoxel: number,
    timeMs: number,
    children: ArrayLike<number>,
    name?: bigint,
  ): number {
    const [low, high] = name === undefined ? this.#nextId(layer, supervoxel) : this.#ids.reserve(name, layer);
    return this.nodes.add(low, high, timeMs, children);
  }

  #nextId(layer: number, supervoxel: number): [number, number] {
    if (layer === this.layout.layers) return this.#ids.next(layer, 0, 0, 0);
    const chunk = this.chunkOf(supervoxel),
      shift = layer - 2;
    return this.#ids.next(layer, chunk[0] >> shift, chunk[1] >> shift, chunk[2] >> shift);
  }
}
