/**
 * Decodes a slab, which is some consecutive slices of a chunk, to boundaries and components. Labels are then
 * looked up voxel by voxel.
 */
import { DecodeError } from '../../base/errors.ts';
import { Components } from './components.ts';
import { FIRST_LABEL_CODE, LABEL_FOLLOWS, Locations } from './locations.ts';
import { paintBoundaries, wordsPerRow } from './boundary-windows.ts';
import type { WordArray } from '../../precomputed/data-type.ts';
import type { Section, CompressoStream } from './stream.ts';
import type { BoundaryBits, WindowTable } from './boundary-windows.ts';

/** The numbers of components and location entries before a slice. */
export interface SlicePosition {
  component: number;
  location: number;
}

/** One slab at a time. */
export class Slab {
  readonly #stream: CompressoStream;
  readonly #windows: WindowTable;
  readonly #boundaries: BoundaryBits;
  readonly #components: Components;
  readonly #locations: Locations;
  #firstComponent = 0;

  /** @param depth The most slices to hold at a time. */
  constructor(stream: CompressoStream, windows: WindowTable, depth: number) {
    const [sx, sy] = stream.shape,
      rows = sy * depth,
      rowWords = wordsPerRow(stream);
    this.#stream = stream;
    this.#windows = windows;
    this.#boundaries = { z0: 0, z1: 0, rowWords, bits: new Uint32Array(rows * rowWords) };
    this.#components = new Components(sx, sy, rows);
    this.#locations = new Locations(stream, rows);
  }

  /**
   * Decodes slices z0 to before z1. They replace the slices before.
   * @param end The position at which the slices must end; undefined if it is not known.
   * @throws DecodeError TRUNCATED (fewer ids or locations than the boundaries need) or BAD_HEADER (the slices
   *   do not end at `end`).
   */
  load(z0: number, z1: number, start: SlicePosition, end?: SlicePosition): void {
    const boundaries = this.#boundaries,
      { connectivity, ids } = this.#stream;
    boundaries.z0 = z0;
    boundaries.z1 = z1;
    boundaries.bits.fill(0);
    paintBoundaries(this.#stream, this.#windows, boundaries);
    this.#components.label(boundaries, connectivity);
    this.#firstComponent = start.component;
    const component = start.component + this.#components.count,
      location = this.#locations.count(boundaries, start.location);
    if (component > ids.count) throw new DecodeError('TRUNCATED', `compresso: ${ids.count} ids are too few`);
    if (end && (component !== end.component || location !== end.location)) {
      const got = `${component} components and ${location} locations`;
      throw new DecodeError(
        'BAD_HEADER',
        `compresso: ${got} up to slice ${z1}, expected ${end.component} and ${end.location}`,
      );
    }
  }

  /**
   * Writes the label of one voxel to `out[at]`, and the upper half of a 64-bit label to `out[at + 1]`.
   * @throws DecodeError BAD_HEADER if the voxel's location points to a voxel without a label, or to one
   *   outside this slab.
   */
  writeLabel(x: number, y: number, z: number, out: WordArray, at: number): void {
    const {
        shape: [, sy],
        connectivity,
        ids,
        locations,
        view,
      } = this.#stream,
      row = y + sy * (z - this.#boundaries.z0);
    if (!this.#isBoundary(x, row)) return this.#writeComponent(x, row, out, at);
    if (x > 0 && !this.#isBoundary(x - 1, row)) return this.#writeComponent(x - 1, row, out, at);
    if (y > 0 && !this.#isBoundary(x, row - 1)) return this.#writeComponent(x, row - 1, out, at);
    if (connectivity === 6 && z > 0 && !this.#isBoundary(x, row - sy))
      return this.#writeComponent(x, row - sy, out, at);
    const entry = this.#locations.find(this.#boundaries, x, row);
    const codeAt = locations.at + locations.width * entry,
      low = lowWord(view, codeAt, ids.width),
      high = highWord(view, codeAt, ids.width);
    if (high === 0 && low < LABEL_FOLLOWS) return this.#writeNeighbour(low, x, y, z, out, at);
    if (high === 0 && low === LABEL_FOLLOWS) return this.#write(locations, entry + 1, out, at);
    out[at] = low - FIRST_LABEL_CODE; // wraps around, as the 64-bit difference does
    if (ids.width === 8) out[at + 1] = high - (low < FIRST_LABEL_CODE ? 1 : 0);
  }

  /**
   * Writes the label of a neighbour. Codes 0 to 5: left, right, up, down, the slice before, the slice after.
   */
  #writeNeighbour(code: number, x: number, y: number, z: number, out: WordArray, at: number): void {
    const {
        shape: [sx, sy],
      } = this.#stream,
      { z0, z1 } = this.#boundaries,
      step = code % 2 === 0 ? -1 : 1;
    const nx = code < 2 ? x + step : x,
      ny = code === 2 || code === 3 ? y + step : y,
      nz = code > 3 ? z + step : z;
    const row = ny + sy * (nz - z0);
    if (nx < 0 || nx >= sx || ny < 0 || ny >= sy || nz < z0 || nz >= z1 || this.#isBoundary(nx, row))
      throw new DecodeError(
        'BAD_HEADER',
        `compresso: the location of voxel ${x},${y},${z} points to ${nx},${ny},${nz}, which has no label of its own`,
      );
    this.#writeComponent(nx, row, out, at);
  }

  #isBoundary(x: number, row: number): boolean {
    const { bits, rowWords } = this.#boundaries;
    return ((bits[row * rowWords + (x >>> 5)] >>> (x & 31)) & 1) === 1;
  }

  #writeComponent(x: number, row: number, out: WordArray, at: number): void {
    this.#write(this.#stream.ids, this.#firstComponent + this.#components.componentAt(x, row), out, at);
  }

  #write({ at, width }: Section, entry: number, out: WordArray, outAt: number): void {
    const { view } = this.#stream;
    out[outAt] = lowWord(view, at + width * entry, width);
    if (width === 8) out[outAt + 1] = highWord(view, at + width * entry, width);
  }
}

function lowWord(view: DataView, at: number, width: number): number {
  return width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

const highWord = (view: DataView, at: number, width: number): number =>
  width === 8 ? view.getUint32(at + 4, true) : 0;
