/**
 * Encodes `crackle`, format version 1, in the simplest valid way: flat labels, impermissible cracks, a
 * separate chain for each straight crack, and no Markov model. Source: crackle
 * (github.com/seung-lab/crackle), README.md, "Stream Format". None of its code is used.
 */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { crc32c } from '../../lib/base/crc32c.ts';
import { crc8 } from '../../lib/codecs/crackle/crc.ts';
import { regionsOf } from './regions.ts';

const MAGIC = 'crkl';
const HEADER_BYTES = 29;
const RIGHT = 1,
  DOWN = 2,
  LEFT = 3,
  UP = 0;
const FORTRAN_ORDER = 0x80;

type Unsigned = BigUint64Array | Uint32Array | Uint16Array | Uint8Array;

/** Encodes a chunk. @param values One channel, x fastest. */
export function encodeCrackle(values: Unsigned, [sx, sy, sz]: Vec3): Uint8Array {
  const width = values.BYTES_PER_ELEMENT;
  const labels = [...new Set<bigint | number>(values)].sort((a, b) => (a < b ? -1 : 1));
  const numbers = new Map(labels.map((label, k) => [label, k]));
  const cracks: Uint8Array[] = [],
    checksums: number[] = [],
    counts: number[] = [],
    keys: number[] = [];
  for (let z = 0; z < sz; z++) {
    const slice = values.subarray(z * sx * sy, (z + 1) * sx * sy);
    const { of, first } = regionsOf(sx, sy, (a, b) => slice[a] === slice[b]);
    counts.push(first.length);
    for (const voxel of first) keys.push(numbers.get(slice[voxel])!);
    checksums.push(checksum(new Uint8Array(of.buffer)));
    cracks.push(crackCode(slice, sx, sy));
  }
  const flat = Buffer.concat([
    uints([labels.length], 8),
    uints(labels, width),
    uints(counts, widthFor(sx * sy)),
    uints(keys, widthFor(labels.length)),
  ]);
  const index = uints(
    cracks.map(({ length }) => length),
    4,
  );
  return Buffer.concat([
    header(width, [sx, sy, sz], flat.length),
    index,
    uints([checksum(index)], 4),
    flat,
    ...cracks,
    uints([checksum(flat), ...checksums], 4),
  ]);
}

function header(width: number, [sx, sy, sz]: Vec3, labelBytes: number): Uint8Array {
  const log = Math.log2(width),
    format = log | (log << 2) | FORTRAN_ORDER;
  const bytes = Buffer.concat([
    Buffer.from(MAGIC),
    Uint8Array.of(1),
    uints([format], 2),
    uints([sx, sy, sz], 4),
    Uint8Array.of(31),
    uints([labelBytes], 8),
    Uint8Array.of(0),
  ]);
  bytes[HEADER_BYTES - 1] = crc8(viewOf(bytes), 5, HEADER_BYTES - 1);
  return bytes;
}

/**
 * The crack code of a slice: the starts of chains (rows, and the columns in each, as differences), then their
 * moves (2 bits each, as differences modulo 4).
 */
function crackCode(slice: Unsigned, sx: number, sy: number): Uint8Array {
  const xWidth = widthFor(sx + 1),
    yWidth = widthFor(sy + 1);
  const rows: Uint8Array[] = [],
    moves: number[] = [];
  let lastRow = 0;
  for (let y = 0; y < sy; y++) {
    const columns: number[] = [];
    for (let x = 0; x < sx; x++) {
      // A chain starts at the crack above this voxel, or left of it, if the straight crack begins here.
      const above = (at: number): boolean =>
        y > 0 && at < sx && slice[at + sx * y] !== slice[at + sx * (y - 1)];
      const left = (row: number): boolean =>
        x > 0 && row < sy && slice[x + sx * row] !== slice[x - 1 + sx * row];
      if (above(x) && !(x > 0 && above(x - 1))) {
        columns.push(x);
        for (let at = x; above(at); at++) moves.push(RIGHT);
        moves.push(RIGHT, LEFT); // a move and its reverse end the chain
      }
      if (left(y) && !(y > 0 && left(y - 1))) {
        columns.push(x);
        for (let row = y; left(row); row++) moves.push(DOWN);
        moves.push(DOWN, UP);
      }
    }
    if (columns.length === 0) continue;
    rows.push(
      uints([y - lastRow], yWidth),
      uints([columns.length], xWidth),
      uints(
        columns.map((x, k) => x - (columns[k - 1] ?? 0)),
        xWidth,
      ),
    );
    lastRow = y;
  }
  const starts = Buffer.concat([uints([rows.length / 3], yWidth), ...rows]);
  const packed = new Uint8Array(Math.ceil(moves.length / 4));
  moves.forEach((move, k) => (packed[k >> 2] |= ((move - (moves[k - 1] ?? 0)) & 3) << (2 * (k & 3))));
  return Buffer.concat([uints([starts.length], 4), starts, packed]);
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);
const checksum = (bytes: Uint8Array): number => crc32c(viewOf(bytes), 0, bytes.byteLength);
const widthFor = (most: number): number => (most < 2 ** 8 ? 1 : most < 2 ** 16 ? 2 : 4);

/** Unsigned integers of `width` bytes, little-endian. */
function uints(values: readonly (bigint | number)[], width: number): Uint8Array {
  const bytes = Buffer.alloc(values.length * width);
  values.forEach((value, k) =>
    width === 8
      ? bytes.writeBigUInt64LE(BigInt(value), 8 * k)
      : bytes.writeUIntLE(Number(value), width * k, width),
  );
  return bytes;
}
