/** Parts of chunks that are stored as they are, without a bitstream around them. */
import { leaveOnAbort } from '../base/abort.ts';
import { RequestError } from '../base/errors.ts';
import type { ByteRange, StoredObject } from '../storage/store.ts';
import type { ChunkPart } from './chunk-source.ts';

/** Reads a range of one chunk. */
type ReadPart = (range: ByteRange) => Promise<StoredObject | undefined>;

/**
 * What was found of a chunk: its parts, or all of it where the server sent that; undefined in `whole`: it is not stored. Nothing: the
 * chunk is to be read whole.
 */
export type Found = { parts: readonly ChunkPart[] } | { whole: StoredObject | undefined } | undefined;

/**
 * Learns from the replies whether the chunks of one scale can be read in parts. One chunk at a time tries; where that fails (a content
 * encoding, another size than the chunk has, a server that ignores ranges or answers them wrongly), none is tried again.
 */
export class PartReader {
  /** Whether chunks can be read in parts; undefined until a reply has told. */
  #possible: boolean | undefined;
  #trial: Promise<unknown> | undefined;

  /** A chunk that was read whole tells, too. */
  learn({ bytes, contentEncoding }: StoredObject, exactBytes: number): void {
    if (contentEncoding || bytes.byteLength !== exactBytes) this.#possible = false;
  }

  /**
   * @param plan Which parts of the chunk are wanted now, if any.
   * @param exactBytes Size of the chunk: an object of any other is not the chunk as it is.
   * @throws RequestError, except for answers that are no part of the chunk; `signal.reason`.
   */
  async read(plan: () => readonly ByteRange[] | undefined, exactBytes: number, readPart: ReadPart, signal: AbortSignal): Promise<Found> {
    if (this.#possible === undefined && this.#trial && plan()) await leaveOnAbort(this.#trial, signal, () => {});
    if (this.#possible === false || this.#trial) return undefined;
    const ranges = plan();
    if (!ranges) return undefined;
    if (this.#possible) return this.#read([ranges], exactBytes, readPart);
    // The first part alone: should all of the chunk come instead, it comes once.
    const trial = this.#read([ranges.slice(0, 1), ranges.slice(1)], exactBytes, readPart);
    this.#trial = trial.catch(() => undefined);
    try {
      return await trial;
    } finally {
      this.#trial = undefined;
    }
  }

  async #read(batches: readonly (readonly ByteRange[])[], exactBytes: number, readPart: ReadPart): Promise<Found> {
    const parts: ChunkPart[] = [];
    try {
      for (const ranges of batches) {
        for (const [k, object] of (await Promise.all(ranges.map(readPart))).entries()) {
          if (!object) return { whole: undefined };
          if (!isPart(object, ranges[k], exactBytes)) {
            this.#possible = false;
            return object.range ? undefined : { whole: object };
          }
          parts.push({ start: ranges[k].start, bytes: object.bytes });
        }
        this.#possible = true;
      }
    } catch (error) {
      // A range beyond the end of a smaller object, or a reply that is not the range: read whole, the chunk says what it is.
      if (!(error instanceof RequestError && error.code === 'BAD_RESPONSE')) throw error;
      this.#possible = false;
      return undefined;
    }
    return { parts };
  }
}

/** Whether it is just this part of a chunk of this size. */
const isPart = ({ bytes, contentEncoding, range, totalBytes }: StoredObject, { start, end }: ByteRange, exactBytes: number): boolean =>
  range !== undefined && !contentEncoding && totalBytes === exactBytes && range.start === start && bytes.byteLength === end - start;
