/** Plans few reads for many references to data files. Pure. */
import { planReads } from '../chunks/merge-ranges.ts';
import type { ByteRange } from '../storage/store.ts';
import type { DataRef } from './format/data-files.ts';

/** One read of a data file. */
export interface PlannedSlice extends ByteRange {
  readonly path: string;
  /** Indices of the references that lie in it, by their position. */
  readonly members: readonly number[];
}

/** Merges references to neighbouring bytes of one data file. */
export function planSlices(refs: readonly DataRef[]): PlannedSlice[] {
  const byPath = new Map<string, number[]>();
  for (const [k, { file }] of refs.entries()) {
    const known = byPath.get(file.path);
    if (known) known.push(k);
    else byPath.set(file.path, [k]);
  }
  return [...byPath].flatMap(([path, indices]) =>
    planReads(indices.map((k) => rangeOf(refs[k]))).map(({ start, end, members }) => ({
      path,
      start,
      end,
      members: members.map((member) => indices[member]),
    })),
  );
}

/** The bytes that a reference names. */
export const rangeOf = ({ offset, length }: DataRef): ByteRange => ({ start: offset, end: offset + length });
