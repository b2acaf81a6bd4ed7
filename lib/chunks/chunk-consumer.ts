/** Who wants chunks, and one's place at each of them: what every way of delivering bytes ends in. */
import { ChunkError } from '../base/errors.ts';
import type { PausableWork } from '../base/cooperative-work.ts';
import type { Codec } from '../codecs/codec.ts';
import type { ByteRange, Meter } from '../storage/store.ts';
import type { ChunkPart, ChunkSource } from './chunk-source.ts';

/** Reads a chunk as it goes by: pieces in order, `at` the offset of each. */
export type WindowReader = (window: Uint8Array, at: number) => void;

export interface ChunkConsumer {
  /**
   * Takes what it needs out of the bytes of `cells[ordinal]`, at once or with pauses: it must not keep them any longer. Undefined: the chunk
   * is not stored. What it throws makes the chunk failed for this consumer. It is not gone on with once the call has ended.
   *
   * @param codec What reads the bytes, where they were kept in another encoding than the source's.
   */
  receive(ordinal: number, bytes: Uint8Array | undefined, codec?: Codec): PausableWork | void;
  /** The same by windows, where the encoding allows it; `take` is not called then. */
  windowReader?(ordinal: number): WindowReader | undefined;
  /** Bytes of the chunk that are enough for it: `windowReader` then sees parts that hold them. Undefined: it needs the whole chunk. */
  rangesOf?(ordinal: number): readonly ByteRange[] | undefined;
  /** All of the chunk was taken. */
  done(ordinal: number, stored: boolean): PausableWork | void;
  /** The chunk could not be read, or taking it failed. */
  fail(ordinal: number, error: ChunkError): void;
  /** So many chunks, all that are not settled yet, had not come in time: told at once where each on its own would take too long. */
  failRest?(count: number, error: ChunkError): void;
}

export interface ChunkCost extends Meter {
  /** Chunks that came from the cache or from a read another call had asked for. */
  cacheHits: number;
}

/** One call for chunks. */
export interface ChunkCall {
  readonly source: ChunkSource;
  readonly consumer: ChunkConsumer;
  readonly cost: ChunkCost;
  /** By ordinal: 1 once it was taken or has failed. */
  readonly isSettled: Uint8Array;
  remaining: number;
  /** It has ended before all chunks had come: nothing is delivered to it any more. */
  hasEnded: boolean;
  readonly onSettled: () => void;
}

/** A call's place at one chunk. */
export class ChunkWaiter {
  constructor(
    readonly call: ChunkCall,
    readonly ordinal: number,
    readonly cell: number,
    /** Bytes of the chunk that are enough for it; undefined: it needs all of them. */
    readonly ranges: readonly ByteRange[] | undefined,
  ) {}

  /** Takes all of the chunk; undefined: it is not stored. @returns whether it went well. */
  *deliver(bytes: Uint8Array | undefined, codec?: Codec): PausableWork<boolean> {
    const { call, ordinal } = this;
    try {
      if (!call.hasEnded) yield* whileWanted(call, call.consumer.receive(ordinal, bytes, codec));
    } catch (error) {
      this.fail(error);
      return false;
    }
    yield* this.finish(bytes !== undefined);
    return true;
  }

  /** Takes the chunk by windows; `finish` comes after the last. Undefined: it needs all at once. */
  windowReader(): WindowReader | undefined {
    const { call, ordinal } = this;
    const read = call.hasEnded ? () => undefined : call.consumer.windowReader?.(ordinal);
    return read && ((window, at) => call.hasEnded || read(window, at)); // the call may leave between two windows
  }

  /** Whether parts of the chunk hold all that it needs. */
  isSatisfiedBy(parts: readonly ChunkPart[]): boolean {
    const isIn = ({ start, end }: ByteRange): boolean =>
      parts.some((part) => part.start <= start && end <= part.start + part.bytes.byteLength);
    return this.ranges !== undefined && this.ranges.every(isIn);
  }

  /** All windows have gone by, or `deliver` was through. */
  *finish(stored: boolean): PausableWork {
    const { call, ordinal } = this;
    if (call.hasEnded) return;
    yield* whileWanted(call, call.consumer.done(ordinal, stored));
    if (!call.hasEnded) this.#settle();
  }

  fail(error: unknown): void {
    const { call, ordinal, cell } = this;
    if (call.hasEnded) return;
    call.consumer.fail(ordinal, ChunkError.of(call.source.urlOf(cell), error));
    this.#settle();
  }

  #settle(): void {
    const { call, ordinal } = this;
    call.isSettled[ordinal] = 1;
    if (--call.remaining === 0) call.onSettled();
  }
}

/** The work of a consumer, which ends with its call. */
function* whileWanted(call: ChunkCall, work: PausableWork | void): PausableWork {
  if (!work) return;
  while (!work.next().done) {
    yield;
    if (call.hasEnded) return;
  }
}
