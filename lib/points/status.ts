/** What became of each point or ID. The numbers are fixed: they are stored in `status` arrays and may be saved. */
export const PointStatus = {
  /** Never returned. */
  unset: 0,
  ok: 1,
  /** Label 0 of a segmentation. */
  background: 2,
  /** Outside the volume's bounding box. */
  outOfBounds: 3,
  /** The chunk that would hold the voxel is not stored. */
  missingChunk: 4,
  /** A coordinate that is no finite number. */
  invalidPoint: 5,
  /** A supervoxel ID that does not decode to layer 1 and to the graph chunk of its point. It is kept and looked up all the same. */
  suspect: 6,
  /** The server knows no root for the ID at that timestamp. */
  noRoot: 7,
  /** The chunk could not be read or decoded. */
  failed: 8,
  /** The root request failed; the supervoxel is known. */
  rootFailed: 9,
  /** An ID already at or above the wanted layer: kept as it is, nobody was asked whether it exists. In tables also a missing ID or position. */
  notLookedUp: 10,
  /** A cell of a table that holds no uint64 ID. */
  invalidId: 11,
  /** A cell of a table that should hold a timestamp and does not. */
  invalidTimestamp: 12,
} as const;

export type PointStatusName = keyof typeof PointStatus;
export type PointStatusCode = (typeof PointStatus)[PointStatusName];

/** Text forms, as tables and rows show them: `out_of_bounds`. Indexed by code. */
const TEXTS = (Object.keys(PointStatus) as PointStatusName[]).map((name) =>
  name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
);

const CODES = new Map(TEXTS.map((text, code) => [text, code]));

/** `out_of_bounds` → `3`; undefined for what is not a status. */
export const statusCode = (text: string): number | undefined => CODES.get(text);

/** `3` → `out_of_bounds`. */
export const statusText = (code: number): string => TEXTS[code] ?? `status_${code}`;
