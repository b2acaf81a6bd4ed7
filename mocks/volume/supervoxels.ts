/** Cuts objects into supervoxels, each of which lies in one graph chunk. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { product } from '../../lib/base/vec3.ts';
import { chunkBaseId } from '../mock-graph-info.ts';
import { touchingPairs } from './touching.ts';
import type { ValueOf } from './values.ts';

/** The volume and the sizes to cut to, all in voxels, xyz. */
export interface CutOptions {
  size: Vec3;
  voxelOffset: Vec3;
  graphChunkSize: Vec3;
  /** Largest size of a supervoxel. Cuts are counted from the start of each graph chunk. */
  supervoxelSize: Vec3;
}

/** Supervoxels and the edges that connect each object. */
export interface Supervoxels {
  /** IDs: layer 1, the graph chunk, and a segment from 1 in the order of the first voxels. */
  ids: bigint[];
  /** The object that each supervoxel was cut from. */
  objects: bigint[];
  /** The index of each voxel's supervoxel, x fastest; -1 is background. */
  parts: Int32Array;
  /**
   * Pairs of indices: supervoxels that touch, and one more pair for each part that does not touch the rest of
   * its object.
   */
  edges: [number, number][];
}

/** Cuts objects into supervoxels. The edges connect each object; 0 is background. */
export function cutIntoSupervoxels(
  objectAt: ValueOf,
  { size, voxelOffset, graphChunkSize, supervoxelSize }: CutOptions,
): Supervoxels {
  const parts = new Int32Array(product(size)).fill(-1);
  const ids: bigint[] = [],
    objects: bigint[] = [];
  const indices = new Map<string, number>(),
    segments = new Map<string, bigint>();
  let at = 0;
  for (let z = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++) {
      let last = { object: 0n, cell: '', index: -1 };
      for (let x = 0; x < size[0]; x++, at++) {
        const object = BigInt(objectAt(x + voxelOffset[0], y + voxelOffset[1], z + voxelOffset[2], 0));
        if (object === 0n) continue;
        const voxel: Vec3 = [x, y, z];
        const chunk = voxel.map((v, axis) => Math.floor(v / graphChunkSize[axis])) as unknown as Vec3;
        const piece = voxel.map((v, axis) => Math.floor((v % graphChunkSize[axis]) / supervoxelSize[axis]));
        const cell = `${chunk.join()} ${piece.join()}`;
        if (last.object !== object || last.cell !== cell) {
          const name = `${cell} ${object}`;
          let index = indices.get(name);
          if (index === undefined) {
            const segment = (segments.get(chunk.join()) ?? 0n) + 1n;
            segments.set(chunk.join(), segment);
            indices.set(name, (index = ids.push(chunkBaseId(chunk) + segment) - 1));
            objects.push(object);
          }
          last = { object, cell, index };
        }
        parts[at] = last.index;
      }
    }
  return { ids, objects, parts, edges: connectObjects(touchingPairs(parts, size), objects) };
}

/**
 * Edges between touching supervoxels of one object, and from each object's first supervoxel to parts that are
 * not connected to it.
 */
function connectObjects(
  touching: readonly [number, number][],
  objects: readonly bigint[],
): [number, number][] {
  const edges = touching.filter(([a, b]) => objects[a] === objects[b]);
  const parents = objects.map((_, k) => k);
  const top = (k: number): number => {
    while (parents[k] !== k) k = parents[k] = parents[parents[k]];
    return k;
  };
  const join = (a: number, b: number): void => void (parents[top(a)] = top(b));
  for (const [a, b] of edges) join(a, b);
  const first = new Map<bigint, number>();
  objects.forEach((object, k) => {
    const start = first.get(object);
    if (start === undefined) first.set(object, k);
    else if (top(start) !== top(k)) {
      join(start, k);
      edges.push([start, k]);
    }
  });
  return edges;
}
