/**
 * A small compressed_segmentation writer for specs, written from the format's text. It writes forms that real
 * writers rarely use: any valid bit width (even 32), blocks in any order, gaps, and a table used by two
 * blocks.
 * Source: Neuroglancer, src/sliceview/compressed_segmentation/README.md.
 */
import type { ChunkLayout } from '../../lib/codecs/codec.ts';

export interface CsegEncodeOptions {
  /** Bits per voxel of a block with this many distinct labels; they must fit. @default the fewest that fit */
  bitsFor?: (labels: number) => number;
  /** @default false: every block has a table of its own */
  shareTables?: boolean;
  /** Order in which blocks are written: a permutation of 0 … count - 1. @default ascending */
  order?: (count: number) => number[];
}

export const BIT_WIDTHS = [0, 1, 2, 4, 8, 16, 32] as const;

/** Returns the fewest bits that distinguish `labels` labels. */
export const fewestBits = (labels: number): number => BIT_WIDTHS.find((bits) => 2 ** bits >= labels)!;

/** Encodes a chunk. @param values In `[x, y, z, channel]` order, x fastest: one per voxel and channel. */
export function encodeCseg(
  values: readonly bigint[],
  layout: ChunkLayout,
  options: CsegEncodeOptions = {},
): Uint8Array {
  const voxels = layout.chunkSize[0] * layout.chunkSize[1] * layout.chunkSize[2];
  const words = new Array<number>(layout.channels).fill(0);
  for (let channel = 0; channel < layout.channels; channel++) {
    words[channel] = words.length;
    for (const word of encodeChannel(values.slice(channel * voxels, (channel + 1) * voxels), layout, options))
      words.push(word);
  }
  const bytes = new Uint8Array(4 * words.length);
  words.forEach((word, i) => new DataView(bytes.buffer).setUint32(4 * i, word, true));
  return bytes;
}

function encodeChannel(
  values: readonly bigint[],
  { chunkSize, blockSize, dataType }: ChunkLayout,
  options: CsegEncodeOptions,
): number[] {
  const {
    bitsFor = fewestBits,
    shareTables = false,
    order = (count) => Array.from({ length: count }, (_, i) => i),
  } = options;
  const [sx, sy, sz] = chunkSize;
  const [bx, by, bz] = blockSize!;
  const [gx, gy, gz] = [Math.ceil(sx / bx), Math.ceil(sy / by), Math.ceil(sz / bz)];
  const words = new Array<number>(2 * gx * gy * gz).fill(0);
  const tables = new Map<string, number>();
  for (const block of order(gx * gy * gz)) {
    const [x0, y0, z0] = [
      (block % gx) * bx,
      (Math.floor(block / gx) % gy) * by,
      Math.floor(block / (gx * gy)) * bz,
    ];
    const inBlock: bigint[] = [];
    for (let z = z0; z < z0 + bz; z++)
      for (let y = y0; y < y0 + by; y++)
        for (let x = x0; x < x0 + bx; x++)
          inBlock.push(values[Math.min(x, sx - 1) + sx * (Math.min(y, sy - 1) + sy * Math.min(z, sz - 1))]);
    const labels = [...new Set(inBlock)];
    const bits = bitsFor(labels.length);
    if (2 ** bits < labels.length) throw new RangeError(`${labels.length} labels do not fit ${bits} bits`);
    const packedAt = words.length;
    for (let i = 0; bits > 0 && i < inBlock.length; i += 32 / bits) {
      const word = inBlock
        .slice(i, i + 32 / bits)
        .reduce((sum, label, j) => sum + labels.indexOf(label) * 2 ** (bits * j), 0);
      words.push(word);
    }
    const key = labels.join();
    const known = shareTables ? tables.get(key) : undefined;
    const tableAt = known ?? words.length;
    if (known === undefined) {
      tables.set(key, tableAt);
      for (const label of labels)
        words.push(
          ...(dataType === 'uint64' ? [Number(label % 2n ** 32n), Number(label >> 32n)] : [Number(label)]),
        );
    }
    words[2 * block] = tableAt + bits * 2 ** 24;
    words[2 * block + 1] = packedAt;
  }
  return words;
}
