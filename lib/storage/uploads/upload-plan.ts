/**
 * Decides in which parts an object is uploaded. Pure.
 * Sources: Amazon S3 user guide, "Amazon S3 multipart upload limits"; Google Cloud Storage, "Resumable
 * uploads".
 */

const MIB = 2 ** 20;
/** The bytes of a part. It suits both vendors: S3 wants at least 5 MiB, Google multiples of 256 KiB. */
export const PART_BYTES = 16 * MIB;
const MOST_PARTS = 10_000;
const MOST_BYTES = 5 * 2 ** 40;
/** The bytes of all parts in flight, unless one part alone has more. */
const BYTES_IN_FLIGHT = 64 * MIB;

/** The parts of an upload. All but the last have the same size. */
export interface UploadPlan {
  readonly parts: number;
  readonly partBytes: number;
  /** The number of parts that are sent at once. */
  readonly atOnce: number;
}

/**
 * Plans an upload in at most 10,000 parts. Parts grow in steps of 1 MiB.
 * @returns undefined if the object is larger than 5 TiB, which neither vendor stores.
 */
export function planUpload(size: number, least: number = PART_BYTES): UploadPlan | undefined {
  if (size > MOST_BYTES) return undefined;
  const partBytes = size <= least * MOST_PARTS ? least : Math.ceil(size / MOST_PARTS / MIB) * MIB;
  const parts = Math.ceil(size / partBytes);
  const atOnce = Math.min(parts, Math.max(1, Math.floor(BYTES_IN_FLIGHT / partBytes)), MOST_AT_ONCE);
  return { parts, partBytes, atOnce };
}

const MOST_AT_ONCE = 4;

/** Returns the bytes of one part, counted from 0. */
export function partRange(
  size: number,
  { partBytes }: UploadPlan,
  part: number,
): [start: number, end: number] {
  return [part * partBytes, Math.min((part + 1) * partBytes, size)];
}

/**
 * Returns how long to wait for the answer to a request with a body. The timer runs while the body is sent, so
 * it allows for a line of 400 kbit/s.
 */
export const uploadTimeoutMs = (bytes: number): number => 60_000 + Math.ceil(bytes / 50);
