/** Parts of chunks that are stored as they are, without a bitstream around them. */
import { RequestError } from '../base/errors.ts';
import type { ByteRange, StoredObject } from '../storage/store.ts';
import { isSameVersion } from '../storage/validator.ts';
import type { ChunkPart } from './chunk-source.ts';
import { PART_REQUEST_BYTES } from './request-weights.ts';

/** Reads a range of one chunk. */
type ReadPart = (range: ByteRange) => Promise<StoredObject | undefined>;

/** What was read of a chunk: the parts wanted, or the whole after all; undefined in `whole`: it is not stored. Nothing: it is to be read whole. */
export type PartReadResult =
  { parts: readonly ChunkPart[] } | { whole: StoredObject | undefined } | undefined;

/**
 * What is read while nothing is known: the beginning. Most raw chunks of labels are stored in a bitstream and shorter than this: they
 * come whole, and it cost nothing to try.
 */
const TRIAL: ByteRange = { start: 0, end: PART_REQUEST_BYTES };

/**
 * Learns from the replies whether the chunks of one scale can be read in parts. Once one could not (a content encoding, another size
 * than the chunk has, a server that ignores ranges or answers them wrongly, parts of different versions), it is not tried again.
 */
export class PartReader {
  /** Undefined until a reply has told. */
  #possible: boolean | undefined;

  /** A chunk that was read whole tells, too. */
  learn({ bytes, contentEncoding }: StoredObject, exactBytes: number): void {
    if (contentEncoding || bytes.byteLength !== exactBytes) this.#possible = false;
  }

  /**
   * @param ranges Wanted parts of the chunk, ascending.
   * @param exactBytes Size of the chunk: an object of any other is not the chunk as it is.
   * @throws RequestError, except for answers that are no part of the chunk; `signal.reason`.
   */
  async read(ranges: readonly ByteRange[], exactBytes: number, readPart: ReadPart): Promise<PartReadResult> {
    if (this.#possible === false) return undefined;
    const pieces: ChunkPart[] = [];
    let version: string | undefined;
    const isTried = this.#possible === undefined;
    const steps = isTried ? [[TRIAL], ranges.filter(({ end }) => end > TRIAL.end)] : [ranges];
    try {
      for (const wanted of steps) {
        for (const [k, object] of (await Promise.all(wanted.map(readPart))).entries()) {
          if (!object) return { whole: undefined };
          if (!isPart(object, wanted[k], exactBytes)) {
            this.#possible = false;
            return isWhole(object) ? { whole: object } : undefined;
          }
          version ??= object.validator;
          // It was replaced between two parts, or its server's validators say nothing: whole, it is of one version.
          if (object.validator !== undefined && !isSameVersion(object.validator, version)) {
            this.#possible = false;
            return undefined;
          }
          pieces.push({ start: wanted[k].start, bytes: object.bytes });
        }
        this.#possible ??= true;
      }
    } catch (error) {
      // A range beyond the end of a smaller object, or a reply that is not the range: read whole, the chunk says what it is.
      if (!(error instanceof RequestError && error.code === 'BAD_RESPONSE')) throw error;
      this.#possible = false;
      return undefined;
    }
    if (!isTried) return { parts: pieces };
    const [trial, ...others] = pieces;
    return { parts: ranges.map((range) => (range.end > TRIAL.end ? others.shift()! : partOf(trial, range))) };
  }
}

/** A view of a range of a longer part. */
const partOf = ({ start: from, bytes }: ChunkPart, { start, end }: ByteRange): ChunkPart => ({
  start,
  bytes: bytes.subarray(start - from, end - from),
});

/** Whether it is just this part of a chunk of this size. */
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
