/**
 * The common part of both label formats: a table of labels, the number of components of each slice, and the
 * label of each component.
 */
import { DecodeError } from '../../base/errors.ts';
import type { SliceComponents } from './slice-components.ts';
import type { CrackleHeader } from './header.ts';
import { readUint, widthFor } from './read-uint.ts';

/** The labels section of a chunk. */
export interface SliceLabels {
  /**
   * Returns a function that gives the byte offset, in the chunk, of a component's label. It is valid until
   * the next slice is decoded.
   * @throws DecodeError BAD_HEADER if the slice and the labels contradict each other.
   */
  ofSlice(z: number, slice: SliceComponents): (component: number) => number;
}

/** Reads the labels section from start to end, and never past its end. */
export class SectionReader {
  constructor(
    readonly view: DataView,
    public at: number,
    readonly end: number,
  ) {}

  /** Reads an unsigned integer of `width` bytes. @throws DecodeError TRUNCATED. */
  uint(width: number): number {
    this.need(width);
    this.at += width;
    return readUint(this.view, this.at - width, width);
  }

  /** Skips `bytes` bytes and returns where they start. @throws DecodeError TRUNCATED. */
  skip(bytes: number): number {
    this.need(bytes);
    this.at += bytes;
    return this.at - bytes;
  }

  /**
   * Checks that the section has been read to its end. Bytes left over mean that it was misread.
   * @throws DecodeError WRONG_SIZE.
   */
  finish(): void {
    if (this.at !== this.end)
      throw new DecodeError(
        'WRONG_SIZE',
        `crackle: ${this.end - this.at} bytes of the labels section are left over`,
      );
  }

  private need(bytes: number): void {
    if (this.at + bytes > this.end)
      throw new DecodeError('TRUNCATED', 'crackle: the labels section ends early');
  }
}

/**
 * Reads the component counts and adds them up.
 * @returns For each slice z, the number of components in the slices before z; the last entry is the total.
 * @throws DecodeError TRUNCATED or BAD_HEADER (no components, or more components than voxels).
 */
export function readComponentCounts(
  reader: SectionReader,
  [sx, sy, sz]: CrackleHeader['shape'],
): Uint32Array {
  const width = widthFor(sx * sy);
  const before = new Uint32Array(sz + 1);
  for (let z = 0; z < sz; z++) {
    const count = reader.uint(width);
    if (count === 0 || count > sx * sy)
      throw new DecodeError(
        'BAD_HEADER',
        `crackle: slice ${z} of ${sx},${sy} voxels cannot have ${count} components`,
      );
    before[z + 1] = before[z] + count;
  }
  return before;
}

/** Checks that a slice has as many components as the labels section says. @throws DecodeError BAD_HEADER. */
export function checkCount(z: number, { componentCount }: SliceComponents, before: Uint32Array): void {
  const expected = before[z + 1] - before[z];
  if (componentCount !== expected)
    throw new DecodeError(
      'BAD_HEADER',
      `crackle: slice ${z} has labels for ${expected} components and walls for ${componentCount}`,
    );
}
