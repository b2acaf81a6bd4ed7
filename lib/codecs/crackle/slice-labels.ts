/** What both label formats have in common: a table of labels, how many components each slice has, and which label each has. */
import { DecodeError } from '../../base/errors.ts';
import type { SliceComponents } from './slice-components.ts';
import type { CrackleHeader } from './header.ts';
import { readUint, widthFor } from './read-uint.ts';

export interface SliceLabels {
  /**
   * Byte offset, in the chunk, of the label of a component of slice z. Good until the next slice is decoded.
   * @throws DecodeError BAD_HEADER when slice and labels contradict each other.
   */
  ofSlice(z: number, slice: SliceComponents): (component: number) => number;
}

/** Reads the labels section from one end to the other and never past it. */
export class SectionReader {
  constructor(
    readonly view: DataView,
    public at: number,
    readonly end: number,
  ) {}

  /** @throws DecodeError TRUNCATED */
  uint(width: number): number {
    this.need(width);
    this.at += width;
    return readUint(this.view, this.at - width, width);
  }

  /** Steps over `bytes`; returns where they start. */
  skip(bytes: number): number {
    this.need(bytes);
    this.at += bytes;
    return this.at - bytes;
  }

  /** A section is as long as its header says: what is left over has been misread. */
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

/** `counts[z]`: components in the slices before z; the last entry: in all. Never more than there are voxels. */
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

/** @throws DecodeError BAD_HEADER */
export function checkCount(z: number, { componentCount }: SliceComponents, before: Uint32Array): void {
  const expected = before[z + 1] - before[z];
  if (componentCount !== expected)
    throw new DecodeError(
      'BAD_HEADER',
      `crackle: slice ${z} has labels for ${expected} components and walls for ${componentCount}`,
    );
}
