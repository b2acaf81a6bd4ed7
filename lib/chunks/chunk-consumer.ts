/** The consumer that receives chunks, and the waiters through which each read delivers to it. */
import { ChunkError } from '../base/errors.ts';
import type { PausableWork } from '../base/cooperative-work.ts';
import type { Codec } from '../codecs/codec.ts';
import type { WordArray } from '../precomputed/data-type.ts';
import type { ByteRange, Meter } from '../storage/store.ts';
import type { ChunkPart, ChunkSource } from './chunk-source.ts';

/** Reads a chunk in windows, in order. `at` is the offset of the window in the chunk. */
export type WindowReader = (window: Uint8Array, at: number) => void;

/** Receives the chunks of one call. Each chunk ends with one call of `done` or `fail`. */
export interface ChunkConsumer {
  /**
   * Receives the bytes of `cells[ordinal]`; undefined if the chunk is not stored. It may work with pauses,
   * but must not keep the bytes afterwards. An error that it throws fails the chunk for this consumer only.
   * Pausable work stops when the call ends.
   *
   * @param codec Decodes the bytes, if they were cached in another encoding than that of the source.
   */
  receive(ordinal: number, bytes: Uint8Array | undefined, codec?: Codec): PausableWork | void;
  /**
   * Returns the voxels whose values the consumer needs, as linear offsets in the chunk. Undefined means that
   * it needs the bytes. Without this method, it always needs the bytes.
   */
  voxelsOf?(ordinal: number): Uint32Array | undefined;
  /** Receives the values of `voxelsOf` instead of the bytes: another thread has decoded them. */
  receiveValues?(ordinal: number, values: WordArray): PausableWork | void;
  /** Returns a reader that receives the chunk in windows instead, if the encoding allows it. */
  windowReader?(ordinal: number): WindowReader | undefined;
  /**
   * Returns the ranges of the chunk that this consumer needs; undefined means the whole chunk. If only those
   * ranges are read, they go to the `windowReader`.
   */
  rangesOf?(ordinal: number): readonly ByteRange[] | undefined;
  /** The consumer has received the chunk. */
  done(ordinal: number, stored: boolean): PausableWork | void;
  /** The chunk could not be read, or the consumer failed to process it. */
  fail(ordinal: number, error: ChunkError): void;
  /** All chunks that have not ended yet are late. Called instead of `fail` if there are very many of them. */
  failRest?(count: number, error: ChunkError): void;
}

/** What a call for chunks cost. */
export interface ChunkCost extends Meter {
  /** Chunks that came from a cache, or from a read that another call had started. */
  cacheHits: number;
}

/** One call for chunks. */
export interface ChunkCall {
  readonly source: ChunkSource;
  readonly consumer: ChunkConsumer;
  readonly cost: ChunkCost;
  /** One byte per ordinal: 1 after the chunk was received or has failed. */
  readonly isSettled: Uint8Array;
  remaining: number;
  /** Whether the call ended before all chunks came. Nothing is delivered to it afterwards. */
  hasEnded: boolean;
  readonly onSettled: () => void;
}

/** One call that waits for one chunk. */
export class ChunkWaiter {
  constructor(
    readonly call: ChunkCall,
    readonly ordinal: number,
    readonly cell: number,
    /** The ranges of the chunk that the call needs; undefined means the whole chunk. */
    readonly ranges: readonly ByteRange[] | undefined,
  ) {}

  /**
   * Delivers the whole chunk; undefined means that it is not stored. Returns whether the consumer accepted
   * it.
   */
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

  /** The voxels whose values the call needs; undefined if it needs the bytes of the chunk. */
  get voxels(): Uint32Array | undefined {
    const { call, ordinal } = this;
    return call.consumer.receiveValues && call.consumer.voxelsOf?.(ordinal);
  }

  /**
   * Delivers the values of `voxels`. There are very many chunks, so generators are made only where needed.
   */
  deliverValues(values: WordArray): PausableWork | void {
    const { call, ordinal } = this;
    const receiving = call.hasEnded ? undefined : call.consumer.receiveValues!(ordinal, values);
    return receiving ? this.#finishAfter(receiving) : this.#finishSoon(true);
  }

  *#finishAfter(receiving: PausableWork): PausableWork {
    yield* whileWanted(this.call, receiving);
    yield* this.finish(true);
  }

  #finishSoon(stored: boolean): PausableWork | void {
    const { call, ordinal } = this;
    if (call.hasEnded) return;
    const finishing = call.consumer.done(ordinal, stored);
    if (finishing) return this.#settleAfter(finishing);
    this.#settleIfWanted();
  }

  *#settleAfter(finishing: PausableWork): PausableWork {
    yield* whileWanted(this.call, finishing);
    this.#settleIfWanted();
  }

  /**
   * Returns a reader for the windows of the chunk; call `finish` after the last window. Returns undefined if
   * the consumer needs the whole chunk at once.
   */
  windowReader(): WindowReader | undefined {
    const { call, ordinal } = this;
    const read = call.hasEnded ? () => undefined : call.consumer.windowReader?.(ordinal);
    return read && ((window, at) => call.hasEnded || read(window, at)); // the call may end between two windows
  }

  /** Whether the parts hold every range that the call needs. */
  isSatisfiedBy(parts: readonly ChunkPart[]): boolean {
    const isIn = ({ start, end }: ByteRange): boolean =>
      parts.some((part) => part.start <= start && end <= part.start + part.bytes.byteLength);
    return this.ranges !== undefined && this.ranges.every(isIn);
  }

  /** Completes the chunk, after the last window or at the end of `deliver`. */
  *finish(stored: boolean): PausableWork {
    const finishing = this.#finishSoon(stored);
    if (finishing) yield* finishing;
  }

  fail(error: unknown): void {
    const { call, ordinal, cell } = this;
    if (call.hasEnded) return;
    call.consumer.fail(ordinal, ChunkError.of(call.source.urlOf(cell), error));
    this.#settle();
  }

  #settleIfWanted(): void {
    if (!this.call.hasEnded) this.#settle();
  }

  #settle(): void {
    const { call, ordinal } = this;
    call.isSettled[ordinal] = 1;
    if (--call.remaining === 0) call.onSettled();
  }
}

/** Runs the work of a consumer, and stops when its call has ended. */
function* whileWanted(call: ChunkCall, work: PausableWork | void): PausableWork {
  if (!work) return;
  while (!work.next().done) {
    yield;
    if (call.hasEnded) return;
  }
}
