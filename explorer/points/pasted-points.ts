/** Points as they were pasted or dropped. */
import type { Vec3 } from '../../lib/base/vec3.ts';

/** A column that came with the points and is kept beside them. */
export interface ExtraColumn {
  readonly name: string;
  readonly values: readonly string[];
}

/** Points that were read from a text. Every list has one entry for each point, in the order of the text. */
export interface PastedPoints {
  /** What the text was. */
  readonly form: 'CSV' | 'TSV' | 'JSON' | 'coordinates' | 'Neuroglancer state';
  /** x, y and z of each point; NaN where there is no number. */
  readonly coordinates: Float64Array;
  readonly columns: readonly ExtraColumn[];
  /** Nanometres per unit, if the text says so. */
  readonly resolution?: Vec3;
  /** What the reader should know: rows without a position, layers that are elsewhere. */
  readonly notes: readonly string[];
}

/** Text that holds no points. The message is for the reader. */
export class PasteError extends Error {
  override readonly name = 'PasteError';
}

/** The most points that the page takes. More are work for the command line. */
export const MAX_POINTS = 1_000_000;

/** @throws PasteError */
export function requireRoom(count: number): void {
  if (count > MAX_POINTS)
    throw new PasteError(
      `These are more than ${MAX_POINTS.toLocaleString('en')} points. Use the command line: graphene-points lookup.`,
    );
}

/** Lets the page draw and listen. Long work awaits it every few thousand rows. */
export type Breathe = () => Promise<void>;
/** Rows between two pauses. */
export const STRETCH = 4096;
