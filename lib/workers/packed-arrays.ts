/**
 * Packs the many small arrays of a message into one piece of memory. Each piece takes a thread longer to send
 * and to receive than its bytes do.
 */
import type { ChunkWorkResult, SharedWork } from '../chunks/chunk-work.ts';

/** Returns the same works, with voxels in memory of their own, and nothing else in that memory. */
export function packVoxels(works: readonly SharedWork[]): SharedWork[] {
  let length = 0;
  for (const { work } of works) for (const voxels of work.voxels) length += voxels.length;
  const packed = new Uint32Array(length);
  let at = 0;
  return works.map((one) => ({
    ...one,
    work: {
      ...one.work,
      voxels: one.work.voxels.map((voxels) => {
        packed.set(voxels, at);
        return packed.subarray(at, (at += voxels.length));
      }),
    },
  }));
}

/** The start of each array: a multiple of the largest element. */
const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Returns the same results, with values in memory of their own. */
export function packValues(results: readonly ChunkWorkResult[]): ChunkWorkResult[] {
  let length = 0;
  for (const { values } of results)
    for (const array of values) if (ArrayBuffer.isView(array)) length += aligned(array.byteLength);
  const packed = new ArrayBuffer(length);
  let at = 0;
  return results.map((result) => ({
    ...result,
    values: result.values.map((array) => {
      if (!ArrayBuffer.isView(array)) return array;
      const copy = new (array.constructor as Uint32ArrayConstructor)(packed, at, array.length);
      copy.set(array);
      at += aligned(array.byteLength);
      return copy;
    }),
  }));
}
