/** Objects cut into supervoxels: each in one graph chunk, as a chunkedgraph wants them. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { product } from '../../lib/base/vec3.ts';
import { chunkBaseId } from '../mock-graph-info.ts';
import { touchingPairs } from './touching.ts';
import type { ValueOf } from './values.ts';

export interface CutOptions {
  /** Voxels. */
  size: Vec3;
  voxelOffset: Vec3;
  graphChunkSize: Vec3;
  /** Most voxels of a supervoxel along each axis, counted from its graph chunk. */
  supervoxelSize: Vec3;
}

export interface Supervoxels {
  /** IDs: layer 1, graph chunk, and a number from 1 in the order of first voxels. */
  ids: bigint[];
  /** The object each was cut from. */
  objects: bigint[];
  /** Index of the supervoxel of each voxel, x fastest; -1 is background. */
  parts: Int32Array;
  /** Pairs of indices that hold each object together: what touches, and one more for each part that is away from the rest. */
  edges: [number, number][];
}

/** Every object is one connected component of the edges; background is 0. */
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
  return { ids, objects, parts, edges: holdTogether(touchingPairs(parts, size), objects) };
}

/** Edges between what touches and is of one object, and from each object's first part to those that do not hang together with it. */
function holdTogether(touching: readonly [number, number][], objects: readonly bigint[]): [number, number][] {
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
