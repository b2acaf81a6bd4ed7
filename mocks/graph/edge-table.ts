/**
 * All edges that are known between supervoxels: those the graph was made with, standing or not, and those that merges drew.
 * An edge once known stays known; which ones stand is in the nodes above. As in the real server's storage: within a graph chunk an
 * edge has one direction, between two chunks it is listed from both ends.
 * Source: PyChunkedGraph, pychunkedgraph/graph/edges/ and edits.py, check_fake_edges.
 */

/** Affinity and area of an edge that a merge drew: as good as none. */
const DRAWN_AFFINITY = 1.1754943508222875e-38; // the smallest normal float32
const DRAWN_AREA = 0;

/** Two supervoxels, as nodes. */
export type Edge = readonly [number, number];

/** By layer, pairs [own supervoxel, other supervoxel] of standing edges, flat: 1 within the graph chunk, from 2 up leaving it. */
export type Edges = readonly (readonly number[])[];

export interface EdgeList {
  /** Pairs of supervoxels, flat. */
  ends: Int32Array;
  /** 1 for those that stand at base. @default all */
  active?: Uint8Array;
  /** @default 1 */
  affinities?: Float32Array;
  /** In voxels. @default 1 */
  areas?: Float64Array;
}

export class EdgeTable {
  readonly #base: EdgeList;
  /** Where the edges of each supervoxel begin in `#edges`, which holds 2 * edge + (0 at the first end, 1 at the second). */
  readonly #start: Int32Array;
  readonly #edges: Int32Array;
  /** Drawn later: ends, flat, and by supervoxel what `#edges` holds for the base. */
  readonly #drawn: number[] = [];
  readonly #drawnOf = new Map<number, number[]>();

  constructor(supervoxels: number, base: EdgeList) {
    this.#base = base;
    const { ends } = base;
    this.#start = new Int32Array(supervoxels + 1);
    for (const end of ends) this.#start[end + 1]++;
    for (let k = 0; k < supervoxels; k++) this.#start[k + 1] += this.#start[k];
    const next = this.#start.slice();
    this.#edges = new Int32Array(ends.length);
    for (let k = 0; k < ends.length; k++) this.#edges[next[ends[k]]++] = k;
  }

  /** Calls back for every edge at a supervoxel. @param visit Gets the other end and a handle: see `isFirst`, `affinityOf`. */
  forEach(supervoxel: number, visit: (other: number, handle: number) => void): void {
    const { ends } = this.#base;
    for (let k = this.#start[supervoxel]; k < this.#start[supervoxel + 1]; k++)
      visit(ends[this.#edges[k] ^ 1], this.#edges[k]);
    for (const handle of this.#drawnOf.get(supervoxel) ?? [])
      visit(this.#drawn[(handle - ends.length) ^ 1], handle);
  }

  has(a: number, b: number): boolean {
    let found = false;
    this.forEach(a, (other) => (found ||= other === b));
    return found;
  }

  add(first: number, second: number): void {
    const handle = this.#base.ends.length + this.#drawn.length;
    this.#drawn.push(first, second);
    [first, second].forEach((end, k) => {
      const handles = this.#drawnOf.get(end);
      if (handles) handles.push(handle + k);
      else this.#drawnOf.set(end, [handle + k]);
    });
  }

  /** Whether the edge stood at base. */
  isActiveAtBase(handle: number): boolean {
    return handle < this.#base.ends.length && this.#base.active?.[handle >> 1] !== 0;
  }

  /** Whether the supervoxel that listed it is the edge's first end. */
  isFirst(handle: number): boolean {
    return (handle & 1) === 0;
  }

  affinityOf(handle: number): number {
    return handle < this.#base.ends.length ? (this.#base.affinities?.[handle >> 1] ?? 1) : DRAWN_AFFINITY;
  }

  areaOf(handle: number): number {
    return handle < this.#base.ends.length ? (this.#base.areas?.[handle >> 1] ?? 1) : DRAWN_AREA;
  }
}
