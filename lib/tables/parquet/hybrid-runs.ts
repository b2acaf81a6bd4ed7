/**
 * Encodes small whole numbers as runs and packed bits. Source: apache/parquet-format, Encodings.md, "Run
 * Length Encoding / Bit-Packing Hybrid".
 */
import type { ByteWriter } from '../text/byte-writer.ts';

/** A shorter run is packed. It must be a multiple of 8. */
const MIN_RUN = 16;

/** Writes `count` values, each of `width` bits, 1 to 24. */
export function writeRuns(values: ArrayLike<number>, count: number, width: number, out: ByteWriter): void {
  let packed = 0; // values from here to `at` wait to be packed; a multiple of 8, except at the end
  for (let at = 0; at < count;) {
    let end = at + 1;
    while (end < count && values[end] === values[at]) end++;
    if (end - at >= MIN_RUN) {
      writePacked(values, packed, at, width, out);
      writeLength((end - at) * 2, out);
      for (let bits = 0; bits < width; bits += 8) out.byte((values[at] >> bits) & 255);
      at = packed = end;
    } else at = Math.min(count, at + 8);
  }
  writePacked(values, packed, count, width, out);
}

function writePacked(
  values: ArrayLike<number>,
  from: number,
  end: number,
  width: number,
  out: ByteWriter,
): void {
  if (from === end) return;
  const groups = Math.ceil((end - from) / 8);
  writeLength(groups * 2 + 1, out);
  let pending = 0,
    bits = 0;
  for (let k = 0; k < groups * 8; k++) {
    pending |= (from + k < end ? values[from + k] : 0) << bits;
    bits += width;
    for (; bits >= 8; bits -= 8) {
      out.byte(pending & 255);
      pending >>>= 8;
    }
  }
}

function writeLength(value: number, out: ByteWriter): void {
  for (; value > 127; value >>>= 7) out.byte((value & 127) | 128);
  out.byte(value);
}
