/**
 * Encodes `compressed_segmentation`, in blocks of any size. Blocks with the same labels in the same order
 * share a table. (The encoder of lib/codecs serves the memory cache. It gives up where the encoding would not
 * save memory.) Source: Neuroglancer, src/sliceview/compressed_segmentation/README.md, "Format specification"
 * and "Multi-channel format".
 */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { product } from '../../lib/base/vec3.ts';

const WIDTHS = [0, 1, 2, 4, 8, 16, 32] as const;
const MAX_TABLE_OFFSET = 0xffffff;

/**
 * Encodes a chunk.
 *
 * @param values `[x, y, z, channel]`, x fastest.
 * @throws RangeError for a chunk that is too large: the offset of a table does not fit into 24 bits.
 */
export function encodeBlocks(
  values: BigUint64Array | Uint32Array,
  size: Vec3,
  channels: number,
  blockSize: Vec3,
): Uint8Array {
  const voxels = product(size);
  const words: number[] = new Array<number>(channels).fill(0);
  for (let channel = 0; channel < channels; channel++) {
    words[channel] = words.length;
    encodeChannel(values.subarray(channel * voxels, (channel + 1) * voxels), size, blockSize, words);
  }
  return new Uint8Array(Uint32Array.from(words).buffer);
}

function encodeChannel(values: BigUint64Array | Uint32Array, size: Vec3, block: Vec3, words: number[]): void {
  const grid = size.map((voxels, axis) => Math.ceil(voxels / block[axis]));
  const start = words.length;
  const tables = new Map<string, number>();
  for (let k = 0; k < 2 * grid[0] * grid[1] * grid[2]; k++) words.push(0);
  let header = start;
  for (let z = 0; z < size[2]; z += block[2])
    for (let y = 0; y < size[1]; y += block[1])
      for (let x = 0; x < size[0]; x += block[0]) {
        const { labels, entries } = scan(values, size, [x, y, z], block);
        const bits = WIDTHS.find((width) => 2 ** width >= labels.length)!;
        const packed = words.length - start;
        if (bits > 0) pack(entries, bits, words);
        const name = labels.join();
        let table = tables.get(name);
        if (table === undefined) {
          tables.set(name, (table = words.length - start));
          if (table > MAX_TABLE_OFFSET)
            throw new RangeError(
              `a chunk of ${size.join(' x ')} voxels is too large for compressed_segmentation`,
            );
          for (const label of labels) {
            words.push(Number(BigInt.asUintN(32, BigInt(label))));
            if (values instanceof BigUint64Array) words.push(Number(BigInt(label) >> 32n));
          }
        }
        words[header++] = table + bits * 2 ** 24;
        words[header++] = packed;
      }
}

/** The labels of a block, and each voxel's index into them. Voxels outside the chunk have index 0. */
function scan(
  values: BigUint64Array | Uint32Array,
  [sx, sy, sz]: Vec3,
  [x0, y0, z0]: Vec3,
  [bx, by, bz]: Vec3,
): { labels: (bigint | number)[]; entries: Uint32Array } {
  const numbers = new Map<bigint | number, number>();
  const entries = new Uint32Array(bx * by * bz);
  for (let z = z0; z < Math.min(z0 + bz, sz); z++)
    for (let y = y0; y < Math.min(y0 + by, sy); y++)
      for (let x = x0; x < Math.min(x0 + bx, sx); x++) {
        const label = values[x + sx * (y + sy * z)];
        let number = numbers.get(label);
        if (number === undefined) numbers.set(label, (number = numbers.size));
        entries[x - x0 + bx * (y - y0 + by * (z - z0))] = number;
      }
  return { labels: [...numbers.keys()], entries };
}

function pack(entries: Uint32Array, bits: number, words: number[]): void {
  const perWord = 32 / bits;
  for (let first = 0; first < entries.length; first += perWord) {
    let word = 0;
    for (let k = 0; k < perWord && first + k < entries.length; k++) word |= entries[first + k] << (bits * k);
    words.push(word >>> 0);
  }
}
