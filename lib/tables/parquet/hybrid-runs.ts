/**
 * Encodes small whole numbers as runs and packed bits. Source: apache/parquet-format, Encodings.md, "Run
 * Length Encoding / Bit-Packing Hybrid".
 */
import type { ByteWriter } from '../text/byte-writer.ts';

/** A shorter run is packed. It must be a multiple of 8. */
const MIN_RUN = 16;

/** Writes `count` values, each of `width` bits, 1 to 24. */
export function writeRuns(
  values: Uint8Array | Uint32Array,
  count: number,
  width: number,
  out: ByteWriter,
): void {
  let packed = 0; // values from here to `at` wait to be packed; a multiple of 8, except at the end
  for (let at = 0; at < count;) {
    const value = values[at];
    let end = at + 1;
    while (end < count && values[end] === value) end++;
    if (end - at >= MIN_RUN) {
      writePacked(values, packed, at, width, out);
      writeRun(value, end - at, width, out);
      at = packed = end;
    } else at = Math.min(count, at + 8);
  }
  writePacked(values, packed, count, width, out);
}

/** Writes one value that is repeated. */
export function writeRun(value: number, count: number, width: number, out: ByteWriter): void {
  writeLength(count * 2, out);
  for (let bits = 0; bits < width; bits += 8) out.byte((value >> bits) & 255);
}

function writePacked(
  values: Uint8Array | Uint32Array,
  from: number,
  end: number,
  width: number,
  out: ByteWriter,
): void {
  if (from === end) return;
  const groups = Math.ceil((end - from) / 8);
  writeLength(groups * 2 + 1, out);
  const bytes = out.extend(groups * width);
  let pending = 0,
    bits = 0,
    to = 0;
  for (let at = from; at < end; at++) {
    pending |= values[at] << bits;
    bits += width;
    for (; bits >= 8; bits -= 8) {
      bytes[to++] = pending;
      pending >>>= 8;
    }
  }
  // The values that fill up the last group are 0.
  for (; to < bytes.length; to++) {
    bytes[to] = pending;
    pending = 0;
  }
}

function writeLength(value: number, out: ByteWriter): void {
  for (; value > 127; value >>>= 7) out.byte((value & 127) | 128);
  out.byte(value);
}
