/**
 * Decodes windows to boundary bits. A chunk is tiled by windows of `steps` voxels, x fastest. Each window is
 * an index into the table of distinct windows. An odd entry is a run of `entry >>> 1` windows of index 0
 * (whose bits need not be empty); an even entry is the index `entry >>> 1`.
 * Source: seung-lab/compresso, compresso.hpp, `run_length_decode_windows` and `decode_boundaries`.
 */
import { DecodeError } from '../../base/errors.ts';
import type { Section, CompressoStream } from './stream.ts';

/** The windows of a chunk. */
export interface WindowTable {
  entries: Uint32Array;
  /** Bits 0 to 31 of each distinct window. */
  low: Uint32Array;
  /** Bits 32 to 63 of each distinct window. */
  high: Uint32Array;
  /** Windows along x. */
  perRow: number;
  /** Windows in one layer, which is one window high. */
  perLayer: number;
  /** The entry in which each layer begins, and how many windows of that entry belong to earlier layers. */
  layerEntry: Uint32Array;
  layerSkip: Float64Array;
}

/**
 * Boundary bits of slices `z0` to before `z1`: rows in raster order, `rowWords` words per row, voxel x in bit
 * x % 32 of word x / 32.
 */
export interface BoundaryBits {
  z0: number;
  z1: number;
  rowWords: number;
  bits: Uint32Array;
}

/** Returns the words per row. A row of whole windows may be longer than a row of voxels. */
export const wordsPerRow = ({ shape: [sx], steps: [xstep] }: CompressoStream): number =>
  Math.ceil((Math.ceil(sx / xstep) * xstep) / 32);

/**
 * Reads the tables and finds where each layer begins, by walking all entries once.
 * @throws DecodeError TRUNCATED (too few windows for the chunk) or BAD_HEADER (too many, or an impossible
 *   entry).
 */
export function readWindows(stream: CompressoStream): WindowTable {
  const {
    shape: [sx, sy, sz],
    steps: [xstep, ystep, zstep],
  } = stream;
  const perRow = Math.ceil(sx / xstep),
    perLayer = perRow * Math.ceil(sy / ystep),
    layers = Math.ceil(sz / zstep);
  const entries = readEntries(stream),
    [low, high] = readValues(stream);
  const layerEntry = new Uint32Array(layers),
    layerSkip = new Float64Array(layers);
  const total = layers * perLayer;
  let count = 0,
    run = 0,
    i = 0;
  for (let layer = 0; layer < layers; layer++) {
    const start = layer * perLayer;
    while (count <= start && i < entries.length) count += run = runOf(entries[i++]);
    layerEntry[layer] = i - 1;
    layerSkip[layer] = start - (count - run);
  }
  while (i < entries.length) count += runOf(entries[i++]);
  // Compresso before 2.3.2 wrote one window too many after the longest run. All later windows are misplaced,
  // so these streams are refused, too.
  if (count !== total)
    throw new DecodeError(
      count < total ? 'TRUNCATED' : 'BAD_HEADER',
      `compresso: ${count} windows, but the chunk takes ${total}`,
    );
  return { entries, low, high, perRow, perLayer, layerEntry, layerSkip };
}

/**
 * Sets the boundary bits of the slices of `target`, which must all be zero before. Bits at or past sx stay
 * zero.
 * @throws DecodeError BAD_HEADER if an entry names a window that is not in the table.
 */
export function paintBoundaries(
  { shape: [sx, sy], steps }: CompressoStream,
  windows: WindowTable,
  target: BoundaryBits,
): void {
  const { entries, low, high, perLayer } = windows,
    zstep = steps[2];
  const background = low.length > 0 && (low[0] | high[0]) !== 0;
  for (let layer = Math.floor(target.z0 / zstep); layer * zstep < target.z1; layer++) {
    let i = windows.layerEntry[layer],
      window = -windows.layerSkip[layer];
    while (window < perLayer) {
      const entry = entries[i++],
        value = entry >>> 1;
      if (entry & 1) {
        const end = window + value;
        if (background)
          for (let b = Math.max(window, 0); b < Math.min(end, perLayer); b++)
            paintWindow(windows, steps, sy, target, layer, b, 0);
        window = end;
      } else {
        if (value >= low.length)
          throw new DecodeError(
            'BAD_HEADER',
            `compresso: window ${value} is not in the table of ${low.length} windows`,
          );
        paintWindow(windows, steps, sy, target, layer, window++, value);
      }
    }
  }
  clearPadding(target, sx);
}

/** Sets the bits of one window: number `window` of its layer, `value` in the table. */
function paintWindow(
  windows: WindowTable,
  steps: CompressoStream['steps'],
  sy: number,
  target: BoundaryBits,
  layer: number,
  window: number,
  value: number,
): void {
  const low = windows.low[value],
    high = windows.high[value];
  const { z0, z1, rowWords, bits } = target,
    [xstep, ystep, zstep] = steps;
  const by = Math.floor(window / windows.perRow),
    x0 = (window - by * windows.perRow) * xstep,
    y0 = by * ystep;
  const yEnd = Math.min(y0 + ystep, sy),
    zEnd = Math.min((layer + 1) * zstep, z1);
  for (let z = Math.max(layer * zstep, z0); z < zEnd; z++) {
    for (let y = y0; y < yEnd; y++) {
      const bit = xstep * (y - y0 + ystep * (z - layer * zstep)),
        row = (sy * (z - z0) + y) * rowWords;
      for (let dx = 0; dx < xstep; dx += 32) {
        const length = Math.min(32, xstep - dx),
          part = bitsOf(low, high, bit + dx) & (0xffffffff >>> (32 - length));
        const word = row + ((x0 + dx) >>> 5),
          shift = (x0 + dx) & 31;
        bits[word] |= part << shift;
        if (shift + length > 32) bits[word + 1] |= part >>> (32 - shift);
      }
    }
  }
}

/**
 * Returns 32 bits from bit `at` of a 64-bit value. A shift by 32 does nothing in JavaScript, so whole words
 * need their own branch.
 */
function bitsOf(low: number, high: number, at: number): number {
  if (at >= 32) return high >>> (at - 32);
  return at === 0 ? low : (low >>> at) | (high << (32 - at));
}

/** Returns how many windows an entry covers. */
const runOf = (entry: number): number => ((entry & 1) === 0 ? 1 : entry >>> 1);

/**
 * Clears the bits past the edge of the chunk: windows reach past it, and their bits there have no meaning.
 */
function clearPadding({ bits, rowWords }: BoundaryBits, sx: number): void {
  if (sx % 32 === 0) return;
  const mask = 0xffffffff >>> (32 - (sx % 32));
  for (let word = sx >>> 5; word < bits.length; word += rowWords) bits[word] &= mask;
}

/** Reads the entries. They are as wide as windows, but a chunk never has 2^32 windows. */
function readEntries({ bytes, windows }: CompressoStream): Uint32Array {
  if (windows.width < 8) return readWords(bytes, windows);
  const pairs = readWords(bytes, windows),
    entries = new Uint32Array(windows.count);
  let upper = 0;
  for (let i = 0; i < entries.length; i++) {
    entries[i] = pairs[2 * i];
    upper |= pairs[2 * i + 1];
  }
  if (upper !== 0) throw new DecodeError('BAD_HEADER', 'compresso: a window entry is above 2^32');
  return entries;
}

function readValues({ bytes, values }: CompressoStream): [low: Uint32Array, high: Uint32Array] {
  const words = readWords(bytes, values);
  if (values.width < 8) return [words, new Uint32Array(values.count)];
  const low = new Uint32Array(values.count),
    high = new Uint32Array(values.count);
  for (let i = 0; i < low.length; i++) {
    low[i] = words[2 * i];
    high[i] = words[2 * i + 1];
  }
  return [low, high];
}

/**
 * Copies a section into words (two words per value of 8 bytes). A copy is needed, because its bytes may have
 * any alignment.
 */
function readWords(bytes: Uint8Array, { at, count, width }: Section): Uint32Array {
  const copy = new Uint8Array(count * width);
  copy.set(bytes.subarray(at, at + count * width));
  if (width === 1) return new Uint32Array(copy);
  return width === 2 ? new Uint32Array(new Uint16Array(copy.buffer)) : new Uint32Array(copy.buffer);
}
