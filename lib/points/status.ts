/**
 * Status codes of points and IDs: the values in the `status` array of a result. The numbers never change, so
 * they may be saved.
 */
export const PointStatus = {
  /** Not set yet. Never returned. */
  unset: 0,
  /** The answer was found. */
  ok: 1,
  /** The voxel has label 0, or the ID is 0. */
  background: 2,
  /** The point is outside the volume's bounding box. */
  outOfBounds: 3,
  /** The chunk that would hold the voxel is not stored. */
  missingChunk: 4,
  /** A coordinate is not a finite number. */
  invalidPoint: 5,
  /**
   * The supervoxel ID is not of layer 1 and the graph chunk of its point. It is kept, and its root is looked
   * up.
   */
  suspect: 6,
  /** The server has no root for the ID at that timestamp. */
  noRoot: 7,
  /** The chunk could not be read or decoded. */
  failed: 8,
  /** The supervoxel is known, but the root request failed. */
  rootFailed: 9,
  /**
   * The ID is already at or above the stop layer. It is kept, was not sent to the server, and may not exist.
   * In tables, also a missing ID or position.
   */
  notLookedUp: 10,
  /** The cell of a table does not hold a uint64 ID. */
  invalidId: 11,
  /** The cell of a table does not hold a timestamp. */
  invalidTimestamp: 12,
  /**
   * The supervoxel was split, or lies under a root that an edit has replaced: at that timestamp its ID has no
   * valid root. Only the voxels tell which supervoxel took its place.
   */
  staleSupervoxel: 13,
} as const;

/** A key of {@link PointStatus}, such as `outOfBounds`. */
export type PointStatusName = keyof typeof PointStatus;
/** A value of {@link PointStatus}, 0 to 13. */
export type PointStatusCode = (typeof PointStatus)[PointStatusName];

/** Text of each code, as tables and rows show it: `out_of_bounds`. */
const TEXTS = (Object.keys(PointStatus) as PointStatusName[]).map((name) =>
  name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
);

const CODES = new Map(TEXTS.map((text, code) => [text, code]));

/** Returns the code of a status text: `out_of_bounds` → `3`; undefined for an unknown text. */
export const statusCode = (text: string): number | undefined => CODES.get(text);

/** Returns the text of a status code: `3` → `out_of_bounds`; `status_99` for an unknown code. */
export const statusText = (code: number): string => TEXTS[code] ?? `status_${code}`;
