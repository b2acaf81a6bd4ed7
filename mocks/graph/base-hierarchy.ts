/**
 * Builds the hierarchy of nodes as it is before the first edit, from all supervoxels and edges.
 *
 * The rules are the real server's (PyChunkedGraph, pychunkedgraph/ingest/create/). A layer-2 node is a
 * connected component within a graph chunk. At each layer above, two chunks join along each axis, and
 * connected nodes get a common parent. A node without a neighbour skips the layers at which no edge leaves
 * it.
 */
import { DisjointSets } from './disjoint-sets.ts';

/** The edges before the first edit. */
export interface BaseEdges {
  /** Pairs of supervoxels, flat. */
  ends: Int32Array;
  /**
   * By edge, the highest layer at which it crosses between two chunks: 1 within a graph chunk, 0 for an
   * inactive edge.
   */
  layers: Uint8Array;
}

/**
 * Adds the nodes from layer 2 up. Within a layer they are in the order of their smallest supervoxels.
 *
 * @param addNode Makes a node over `children`. `first` is the smallest supervoxel of its object.
 */
export function buildBase(
  supervoxels: number,
  layers: number,
  { ends, layers: edgeLayers }: BaseEdges,
  addNode: (layer: number, first: number, children: Int32Array) => number,
): void {
  const sets = new DisjointSets(supervoxels);
  const byLayer = edgesByLayer(edgeLayers, layers);
  const edgesAt = (layer: number): Int32Array => byLayer[layer] ?? new Int32Array(0);
  for (const edge of edgesAt(1)) sets.join(ends[2 * edge], ends[2 * edge + 1]);

  // The highest nodes of each object so far are a linked list. Its key is the object's smallest supervoxel.
  const head = new Int32Array(supervoxels).fill(-1),
    tail = new Int32Array(supervoxels).fill(-1);
  const next = new Int32Array(supervoxels).fill(-1); // by the node's smallest supervoxel
  const top = new Int32Array(supervoxels); // node of a list entry
  for (const { first, members } of groups(sets, supervoxels)) {
    top[first] = addNode(2, first, members);
    head[first] = tail[first] = first;
  }

  const seenAt = new Uint8Array(supervoxels);
  for (let layer = 3; layer <= layers; layer++) {
    for (const edge of edgesAt(layer - 1)) {
      const absorbed = sets.join(ends[2 * edge], ends[2 * edge + 1]);
      if (absorbed < 0) continue;
      const kept = sets.find(absorbed);
      next[tail[kept]] = head[absorbed];
      tail[kept] = tail[absorbed];
    }
    const rising: number[] = [];
    const rise = (supervoxel: number): void => {
      const first = sets.find(supervoxel);
      if (seenAt[first] === layer) return;
      seenAt[first] = layer;
      rising.push(first);
    };
    if (layer === layers) for (let k = 0; k < supervoxels; k++) rise(k);
    else {
      for (const edge of edgesAt(layer - 1)) rise(ends[2 * edge]);
      for (const edge of edgesAt(layer)) for (const end of [0, 1]) rise(ends[2 * edge + end]);
    }
    for (const first of Int32Array.from(rising).sort()) {
      const children: number[] = [];
      for (let entry = head[first]; entry >= 0; entry = next[entry]) children.push(top[entry]);
      top[first] = addNode(layer, first, Int32Array.from(children));
      head[first] = tail[first] = first;
      next[first] = -1;
    }
  }
}

function edgesByLayer(edgeLayers: Uint8Array, layers: number): Int32Array[] {
  const counts = new Int32Array(layers + 1);
  for (const layer of edgeLayers) counts[layer]++;
  const lists = Array.from(counts, (count) => new Int32Array(count));
  const filled = new Int32Array(layers + 1);
  for (let edge = 0; edge < edgeLayers.length; edge++)
    lists[edgeLayers[edge]][filled[edgeLayers[edge]]++] = edge;
  return lists;
}

/** The sets in the order of their smallest members, each with its members in ascending order. */
function* groups(sets: DisjointSets, size: number): Generator<{ first: number; members: Int32Array }> {
  const start = new Int32Array(size + 1);
  for (let k = 0; k < size; k++) start[sets.find(k) + 1]++;
  for (let k = 0; k < size; k++) start[k + 1] += start[k];
  const members = new Int32Array(size),
    filled = start.slice();
  for (let k = 0; k < size; k++) members[filled[sets.find(k)]++] = k;
  for (let first = 0; first < size; first++)
    if (start[first + 1] > start[first])
      yield { first, members: members.subarray(start[first], start[first + 1]) };
}
