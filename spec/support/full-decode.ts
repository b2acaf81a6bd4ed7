/**
 * Decodes whole chunks plainly, block by block, written from the format's text. Point reads are compared with
 * it. It shares no code with lib/codecs.
 */
import type { ChunkLayout } from '../../lib/codecs/codec.ts';

/** Decodes a raw chunk: every value as an unsigned integer, in `[x, y, z, channel]` order, x fastest. */
export function fullDecodeRaw(bytes: Uint8Array, width: number): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < bytes.length; at += width) {
    let value = 0n;
    for (let byte = width - 1; byte >= 0; byte--) value = value * 256n + BigInt(bytes[at + byte]);
    values.push(value);
  }
  return values;
}

/** A value, or the code of the error that reading it must give. */
export type ValueOrCode = bigint | 'TRUNCATED' | 'BAD_HEADER';

/**
 * Decodes a compressed_segmentation chunk, in the same order. Every voxel gets its value or its error code,
 * even in hostile bytes. The words at the front say where the channels start: the first right after those
 * words, the others after it. All block headers must be present.
 */
export function fullDecodeCseg(
  bytes: Uint8Array,
  { chunkSize, channels, dataType, blockSize }: ChunkLayout,
): ValueOrCode[] {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const labelWords = dataType === 'uint64' ? 2 : 1;
  const [sx, sy, sz] = chunkSize;
  const [bx, by, bz] = blockSize!;
  const [gx, gy, gz] = [Math.ceil(sx / bx), Math.ceil(sy / by), Math.ceil(sz / bz)];
  const has = (word: number, count: number): boolean => 4 * (word + count) <= bytes.length;
  const word = (at: number): number => file.getUint32(4 * at, true);

  /** Reads a block's header once, then its values; `inner` counts them x fastest. */
  function blockDecoder(start: number, block: number): (inner: number) => ValueOrCode {
    const header = file.getBigUint64(4 * start + 8 * block, true);
    const table = start + Number(header & 0xffffffn);
    const bits = Number((header >> 24n) & 0xffn);
    const packed = start + Number(header >> 32n);
    if (![0, 1, 2, 4, 8, 16, 32].includes(bits)) return () => 'BAD_HEADER';
    return (inner) => {
      let entry = 0;
      if (bits > 0) {
        const perWord = 32 / bits;
        const at = packed + Math.floor(inner / perWord);
        if (!has(at, 1)) return 'TRUNCATED';
        entry = Math.floor(word(at) / 2 ** (bits * (inner % perWord))) % 2 ** bits;
      }
      const label = table + labelWords * entry;
      if (!has(label, labelWords)) return 'TRUNCATED';
      return labelWords === 2 ? file.getBigUint64(4 * label, true) : BigInt(word(label));
    };
  }

  const values = new Array<ValueOrCode>(sx * sy * sz * channels);
  for (let channel = 0; channel < channels; channel++) {
    const start = has(channel, 1) ? word(channel) : Infinity;
    const wrongStart =
      start === Infinity
        ? 'TRUNCATED'
        : start < channels || (channel === 0 && start > channels)
          ? 'BAD_HEADER'
          : undefined;
    const broken = wrongStart ?? (has(start, 2 * gx * gy * gz) ? undefined : 'TRUNCATED');
    for (let block = 0; block < gx * gy * gz; block++) {
      const valueAt = broken ? () => broken : blockDecoder(start, block);
      const [x0, y0, z0] = [
        (block % gx) * bx,
        (Math.floor(block / gx) % gy) * by,
        Math.floor(block / (gx * gy)) * bz,
      ];
      for (let inner = 0; inner < bx * by * bz; inner++) {
        const [x, y, z] = [
          x0 + (inner % bx),
          y0 + (Math.floor(inner / bx) % by),
          z0 + Math.floor(inner / (bx * by)),
        ];
        if (x < sx && y < sy && z < sz) values[x + sx * (y + sy * (z + sz * channel))] = valueAt(inner);
      }
    }
  }
  return values;
}
