/**
 * A chunkedgraph with its edits in time: supervoxels and edges below, the hierarchy of nodes computed above them. An edit gives new
 * nodes to the chunks it touches and to everything above them; all else keeps its ID, so that an edit costs what it touches.
 * Source: PyChunkedGraph, pychunkedgraph/graph/edits.py.
 */
import { buildBase } from './base-hierarchy.ts';
import { EdgeTable, type Edge, type EdgeList, type Edges } from './edge-table.ts';
import type { NodeIdLayout } from './node-id-layout.ts';
import { Lineage } from './lineage.ts';
import { NodeIds } from './node-ids.ts';
import { NodeTable } from './node-table.ts';
import { buildAncestors, type ChooseRootId } from './build-ancestors.ts';
import { regroup } from './regroup.ts';

export interface TimedEdit {
  timeMs: number;
  added: readonly Edge[];
  removed: readonly Edge[];
  /** In the operation log. @default 0: none */
  operation?: number;
  nameRoot?: ChooseRootId;
}

/** Nodes that an edit made and put out of date. */
export interface AppliedEdit {
  oldRoots: number[];
  newRoots: number[];
  newLayer2: number[];
}

export interface TimedGraphOptions {
  /**
   * Within a graph chunk the real server knows only which edges exist: one that was removed, or never stood, holds again
   * once its ends are in one layer-2 node. `true`: what was removed stays so.
   */
  exact: boolean;
}

export class TimedGraph {
  readonly lineage = new Lineage();
  readonly edges: EdgeTable;
  /** How many; they are the first nodes, in ascending order of their IDs. */
  readonly supervoxels: number;
  /** xyz of each supervoxel's graph chunk. */
  readonly #chunks: Int32Array;
  readonly #ids: NodeIds;
  readonly #edgesOf = new Map<number, Edges>();
  /** A root that each supervoxel had when it was last asked for, -1 for none: where most climbs go, in one step. */
  readonly #root: Int32Array;
  #newestMs: number;

  /** @param nodes Holds the supervoxels, in ascending order, and nothing else. */
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
          `${nodes.idOf(node)} is no supervoxel: its layer is ${layout.layerOf(high)}, not 1`,
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

  /** The moment of the newest edit. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** @throws RangeError for an edit that is older than the one before. */
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

  /** @throws RangeError when there is none with this ID. */
  supervoxel(id: bigint): number {
    const node = this.nodes.findId(id);
    if (node < 0 || node >= this.supervoxels) throw new RangeError(`there is no supervoxel ${id}`);
    return node;
  }

  /**
   * The first ancestor of a node at or above `layer`, as things stood at a time; the node itself when it is there already.
   * -1 when the node had no parent yet.
   */
  ancestorAt(node: number, layer: number, timeMs: number): number {
    if (layer === this.layout.layers && node >= 0 && node < this.supervoxels)
      return this.#rootAt(node, timeMs);
    return this.#ancestorAt(node, layer, timeMs);
  }

  #rootAt(supervoxel: number, timeMs: number): number {
    const known = this.#root[supervoxel];
    const stands = known >= 0 && this.nodes.createdMs(known) <= timeMs && !this.nodes.isRetired(known);
    if (stands) return known;
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

  /** The layer at which an edge still crosses between two chunks, while at the next both ends are in one; 1 within a graph chunk. */
  crossingLayer(a: number, b: number): number {
    let differing = 0;
    for (let axis = 0; axis < 3; axis++) differing |= this.#chunks[3 * a + axis] ^ this.#chunks[3 * b + axis];
    // no differing bit: 1; the lowest alone: 2; …
    return Math.min(33 - Math.clz32(differing), this.layout.layers - 1);
  }

  /** Edges that stood while the node did, from its own layer up; from a layer-2 node of an `exact` graph also those within. */
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

  /** @param supervoxel Somewhere below, for the chunk. */
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
