/**
 * All known edges between supervoxels: the base edges, active or not, and the edges that merges added. An
 * edge is never removed from the table; the nodes above it show whether it is active.
 *
 * As in the real server's storage, an edge within a graph chunk has one direction, and an edge between two
 * chunks is listed from both ends. Source: PyChunkedGraph, pychunkedgraph/graph/edges/ and edits.py,
 * check_fake_edges.
 */

/** Affinity and area of an edge that a merge added: close to nothing. */
const ADDED_AFFINITY = 1.1754943508222875e-38; // the smallest normal float32
const ADDED_AREA = 0;

/** Two supervoxels, as nodes. */
export type Edge = readonly [number, number];

/**
 * Active edges by layer, as flat pairs [own supervoxel, other supervoxel]: layer 1 within the graph chunk, 2
 * and up leaving it.
 */
export type Edges = readonly (readonly number[])[];

/** The base edges, as parallel arrays. */
export interface EdgeList {
  /** Pairs of supervoxels, flat. */
  ends: Int32Array;
  /** By edge: 1 if it is active at base, else 0. @default all active */
  active?: Uint8Array;
  /** By edge. @default 1 */
  affinities?: Float32Array;
  /** By edge, in voxels. @default 1 */
  areas?: Float64Array;
}

/** The known edges of a graph, by supervoxel. A handle names an edge as seen from one of its ends. */
export class EdgeTable {
  readonly #base: EdgeList;
  /**
   * Where the handles of each supervoxel begin in `#edges`. A handle is 2 * edge, plus 1 at the second end.
   */
  readonly #start: Int32Array;
  readonly #edges: Int32Array;
  /** Edges added later: their ends, flat, and their handles by supervoxel. */
  readonly #added: number[] = [];
  readonly #addedOf = new Map<number, number[]>();
  /** Supervoxels that were split. Their edges are gone. */
  readonly #retired = new Set<number>();

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

  /** Calls `visit` for every edge of a supervoxel, with the other end and the handle. */
  forEach(supervoxel: number, visit: (other: number, handle: number) => void): void {
    const { ends } = this.#base,
      retired = this.#retired;
    if (retired.has(supervoxel)) return;
    const visitEdge = (other: number, handle: number): void => {
      if (retired.size === 0 || !retired.has(other)) visit(other, handle);
    };
    for (let k = this.#start[supervoxel]; k < this.#start[supervoxel + 1]; k++)
      visitEdge(ends[this.#edges[k] ^ 1], this.#edges[k]);
    for (const handle of this.#addedOf.get(supervoxel) ?? [])
      visitEdge(this.#added[(handle - ends.length) ^ 1], handle);
  }

  /** Removes all edges of a supervoxel that was split. */
  retire(supervoxel: number): void {
    this.#retired.add(supervoxel);
  }

  /** Whether the edge is known. */
  has(a: number, b: number): boolean {
    let found = false;
    this.forEach(a, (other) => (found ||= other === b));
    return found;
  }

  /** Adds an edge. */
  add(first: number, second: number): void {
    const handle = this.#base.ends.length + this.#added.length;
    this.#added.push(first, second);
    [first, second].forEach((end, k) => {
      const handles = this.#addedOf.get(end);
      if (handles) handles.push(handle + k);
      else this.#addedOf.set(end, [handle + k]);
    });
  }

  /** Whether the edge was active at base. */
  isActiveAtBase(handle: number): boolean {
    return handle < this.#base.ends.length && this.#base.active?.[handle >> 1] !== 0;
  }

  /** Whether the handle is that of the edge's first end. */
  isFirst(handle: number): boolean {
    return (handle & 1) === 0;
  }

  affinityOf(handle: number): number {
    return handle < this.#base.ends.length ? (this.#base.affinities?.[handle >> 1] ?? 1) : ADDED_AFFINITY;
  }

  areaOf(handle: number): number {
    return handle < this.#base.ends.length ? (this.#base.areas?.[handle >> 1] ?? 1) : ADDED_AREA;
  }
}
