/** Reads parts of chunks that are stored without compression, each in its own object. */
import { RequestError } from '../base/errors.ts';
import type { ByteRange, StoredObject } from '../storage/store.ts';
import { isSameVersion } from '../storage/validator.ts';
import type { ChunkPart } from './chunk-source.ts';
import { PART_REQUEST_BYTES } from './request-weights.ts';

/** Reads a range of one chunk. */
type ReadPart = (range: ByteRange) => Promise<StoredObject | undefined>;

/**
 * The result of reading parts: the wanted parts; or the whole chunk, if the store sent it (undefined in
 * `whole` if it is not stored); or undefined, if the chunk must be read whole.
 */
export type PartReadResult =
  { parts: readonly ChunkPart[] } | { whole: StoredObject | undefined } | undefined;

/**
 * The range of the first read. Most raw chunks of labels are compressed and shorter than this. Then the whole
 * chunk comes, and the trial costs nothing.
 */
const TRIAL: ByteRange = { start: 0, end: PART_REQUEST_BYTES };

/**
 * Reads parts of the chunks of one scale, and learns from the replies whether that works. After the first
 * failure (a content encoding, an unexpected size, a server that ignores ranges or answers them wrongly,
 * parts of different versions), it reads no more parts.
 */
export class PartReader {
  /** Whether parts work; undefined until a reply shows it. */
  #possible: boolean | undefined;

  /** Whether parts may work. */
  get isPossible(): boolean {
    return this.#possible !== false;
  }

  /** Learns from a chunk that was read whole. */
  learn({ bytes, storedBytes, contentEncoding }: StoredObject, exactBytes: number): void {
    if (contentEncoding || (storedBytes ?? bytes.byteLength) !== exactBytes) this.#possible = false;
  }

  /**
   * Reads parts of one chunk.
   * @param ranges The wanted parts, ascending.
   * @param exactBytes Size of the chunk. An object of another size is compressed.
   * @throws RequestError, unless the reply only shows that parts do not work; `signal.reason`.
   */
  async read(ranges: readonly ByteRange[], exactBytes: number, readPart: ReadPart): Promise<PartReadResult> {
    if (this.#possible === false) return undefined;
    const pieces: ChunkPart[] = [];
    let version: string | undefined;
    const isTrial = this.#possible === undefined;
    const steps = isTrial ? [[TRIAL], ranges.filter(({ end }) => end > TRIAL.end)] : [ranges];
    try {
      for (const wanted of steps) {
        for (const [k, object] of (await Promise.all(wanted.map((range) => readPart(range)))).entries()) {
          if (!object) return { whole: undefined };
          if (!isPart(object, wanted[k], exactBytes)) {
            this.#possible = false;
            return isWhole(object) ? { whole: object } : undefined;
          }
          version ??= object.validator;
          // The chunk was replaced between two parts, or the validators are unreliable. A whole read has one
          // version.
          if (object.validator !== undefined && !isSameVersion(object.validator, version)) {
            this.#possible = false;
            return undefined;
          }
          pieces.push({ start: wanted[k].start, bytes: object.bytes });
        }
        this.#possible ??= true;
      }
    } catch (error) {
      // The object is smaller than the range, or the reply was not the range: the chunk must be read whole.
      if (!(error instanceof RequestError && error.code === 'BAD_RESPONSE')) throw error;
      this.#possible = false;
      return undefined;
    }
    if (!isTrial) return { parts: pieces };
    const [trial, ...others] = pieces;
    return { parts: ranges.map((range) => (range.end > TRIAL.end ? others.shift()! : partOf(trial, range))) };
  }
}

/** Returns a range of a longer part, as a view. */
const partOf = ({ start: from, bytes }: ChunkPart, { start, end }: ByteRange): ChunkPart => ({
  start,
  bytes: bytes.subarray(start - from, end - from),
});

/** Whether the object is exactly this range of an uncompressed chunk of this size. */
const isPart = (
  { bytes, contentEncoding, range, totalBytes }: StoredObject,
  { start, end }: ByteRange,
  exactBytes: number,
): boolean =>
  range !== undefined &&
  !contentEncoding &&
  totalBytes === exactBytes &&
  range.start === start &&
  bytes.byteLength === end - start;

const isWhole = ({ bytes, range, totalBytes }: StoredObject): boolean =>
  range === undefined || (range.start === 0 && bytes.byteLength === totalBytes);
