/** Chunks that are queued or in flight, and the jobs that read them. */
import { runWithoutPause } from '../base/cooperative-work.ts';
import type { Stop } from '../base/stop.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ChunkWaiter } from './chunk-consumer.ts';
import type { ChunkSource, KeptChunk, ReadTask, WantedChunk, WorkDone } from './chunk-source.ts';
import type { ChunkWorkResult } from './chunk-work.ts';
import type { OrderedWork } from './unpack-in-threads.ts';

/** A task in the queue, and the chunks of it that are still wanted. */
export interface ReadJob {
  readonly task: ReadTask;
  readonly source: ChunkSource;
  readonly wanted: Map<number, PendingChunk>;
  readonly stop: Stop;
}

const isActive = ({ call }: ChunkWaiter): boolean => !call.hasEnded;

/**
 * One chunk and the calls that wait for it. Calls that have ended may still be in the list, but do not count.
 */
export class PendingChunk implements WantedChunk {
  job: ReadJob | undefined;
  /** The work that was sent with the request for the chunk. */
  ordered: OrderedWork | undefined;
  #waiters: ChunkWaiter[] = [];
  /** The calls to which the bytes are being delivered. */
  #served: readonly ChunkWaiter[] = NONE;

  constructor(
    readonly key: string,
    readonly cell: number,
    /** The chunk as the memory cache keeps it, if it only waits to be decoded. */
    readonly kept?: KeptChunk,
  ) {}

  /** Whether any call waits for the chunk or is being served. */
  get isWanted(): boolean {
    return this.#waiters.some(isActive) || this.#served.some(isActive);
  }

  get ranges(): readonly ByteRange[] | undefined {
    const all: ByteRange[] = [];
    for (const waiter of this.#waiters) {
      if (!isActive(waiter)) continue;
      if (!waiter.ranges) return undefined;
      all.push(...waiter.ranges);
    }
    return all.length > 0 ? all : undefined;
  }

  /** The calls that wait and are not served yet, in the order they came. */
  get waiters(): readonly ChunkWaiter[] {
    return this.#waiters.filter(isActive);
  }

  add(waiter: ChunkWaiter): void {
    this.#waiters.push(waiter);
  }

  /** Moves waiting calls, all or some of them, to those being served, and returns them. */
  serve(isNext: (waiter: ChunkWaiter) => boolean = isActive): readonly ChunkWaiter[] {
    const served: ChunkWaiter[] = [],
      rest: ChunkWaiter[] = [];
    for (const waiter of this.#waiters) if (isActive(waiter)) (isNext(waiter) ? served : rest).push(waiter);
    this.#waiters = rest;
    this.#served = served;
    return served;
  }

  /** Lets calls wait again that were not served. */
  putBack(waiters: readonly ChunkWaiter[]): void {
    this.#waiters.push(...waiters);
  }

  /**
   * Gives the values that a thread has read to the only call that waits. Returns false if more is to be done:
   * then nothing was given.
   */
  serveValues({ work, result }: WorkDone): boolean {
    const [waiter] = this.#waiters,
      values = result.values[0] as ChunkWorkResult['values'][number] | undefined;
    if (
      this.#waiters.length !== 1 ||
      this.ordered?.work !== work ||
      this.ordered.readers[0] !== waiter ||
      result.error ||
      !ArrayBuffer.isView(values) ||
      values.length > MOST_VALUES_AT_ONCE
    )
      return false;
    this.#served = this.#waiters;
    this.#waiters = [];
    runWithoutPause(waiter.deliverValues(values));
    this.#served = NONE;
    return true;
  }

  finishServing(): void {
    this.#served = NONE;
  }
}

const NONE: readonly ChunkWaiter[] = [];
/** So many values, as words, are given to a call without a pause. */
const MOST_VALUES_AT_ONCE = 2048;
