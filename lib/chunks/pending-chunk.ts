/** Chunks that are wanted and not here yet, and the reads that they come in. */
import type { ByteRange } from '../storage/store.ts';
import type { ChunkWaiter } from './chunk-consumer.ts';
import type { ChunkSource, ReadTask, WantedChunk } from './chunk-source.ts';

/** A task and those of its chunks that are still wanted. */
export interface ReadJob {
  readonly task: ReadTask;
  readonly source: ChunkSource;
  readonly wanted: Map<number, PendingChunk>;
  readonly abort: AbortController;
}

const isThere = ({ call }: ChunkWaiter): boolean => !call.hasEnded;

/** One chunk and those who wait for it. Calls that have ended may still be among them, and do not count. */
export class PendingChunk implements WantedChunk {
  job: ReadJob | undefined;
  #waiters: ChunkWaiter[] = [];
  /** Those whom the bytes are being delivered to. */
  #served: readonly ChunkWaiter[] = NOBODY;

  constructor(
    readonly key: string,
    readonly cell: number,
  ) {}

  /** Whether anybody waits for it, or is being served. */
  get isWanted(): boolean {
    return this.#waiters.some(isThere) || this.#served.some(isThere);
  }

  get ranges(): readonly ByteRange[] | undefined {
    const all: ByteRange[] = [];
    for (const waiter of this.#waiters) {
      if (!isThere(waiter)) continue;
      if (!waiter.ranges) return undefined;
      all.push(...waiter.ranges);
    }
    return all.length > 0 ? all : undefined;
  }

  /** Those who wait and are not served yet, in the order they came. */
  get waiters(): readonly ChunkWaiter[] {
    return this.#waiters.filter(isThere);
  }

  add(waiter: ChunkWaiter): void {
    this.#waiters.push(waiter);
  }

  /** @returns Those who wait, all or some of them; they do not wait any more, and count as served until the next ones are, or nobody. */
  serve(isNext: (waiter: ChunkWaiter) => boolean = isThere): readonly ChunkWaiter[] {
    const served: ChunkWaiter[] = [],
      rest: ChunkWaiter[] = [];
    for (const waiter of this.#waiters) if (isThere(waiter)) (isNext(waiter) ? served : rest).push(waiter);
    this.#waiters = rest;
    this.#served = served;
    return served;
  }

  finishServing(): void {
    this.#served = NOBODY;
  }
}

const NOBODY: readonly ChunkWaiter[] = [];
