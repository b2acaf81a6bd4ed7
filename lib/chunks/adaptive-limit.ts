/**
 * How many reads run at once. A fixed limit stays as it is. The adaptive limit follows the rules of slow
 * start and of the gradient. While more reads take no longer than before, and the threads have time for more,
 * each read that ends adds one: the limit doubles per round trip. It falls when reads take much longer. Reads
 * that wait for a distant server therefore run in larger numbers; reads that wait for each other do not.
 */

/** How many reads may run at once. */
export interface ReadLimit {
  readonly limit: number;
  /** Notes that a read starts while no other runs: the time before does not count. */
  resume(): void;
  /**
   * Notes a read that has ended.
   * @param ms How long it took.
   * @param bytes How many stored bytes it delivered.
   * @param waiting How many reads wait for their turn.
   * @returns Whether the limit has changed.
   */
  ended(ms: number, bytes: number, waiting: number): boolean;
}

/** Makes a limit that never changes. */
export const fixedLimit = (limit: number): ReadLimit => ({
  limit,
  resume: () => undefined,
  ended: () => false,
});

/** The smallest limit, where it starts. */
export const FEWEST_READS = 32;
/** The largest limit. With the connections that the main thread keeps, a host sees at most 256 of them. */
export const MOST_READS = 240;
/** Most stored bytes in flight. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Reads that take less time than this do not wait for a distant server. */
const SHORTEST_MS = 8;
/** Threads that are busy for more of the time than this could not do more reads. */
const BUSIEST = 0.75;
/** More reads are of no use if each takes this many times as long. */
const SLOWER = 1.75;
/** The clock costs more than the rest of the rule. */
const READS_PER_LOOK = 8;
/** Reads that take this many times as long wait for each other. */
const MUCH_SLOWER = 2.5;
/** By how much the shortest time may rise per round. */
const LEARNING = 1.1;

/** The clock of an {@link AdaptiveLimit}. Specs replace it. */
export interface LimitClock {
  /** Returns milliseconds of a monotonic clock. */
  now(): number;
  /** Returns for how many milliseconds the main thread has been busy, and each worker thread on average. */
  busyMs(): readonly number[];
}

/**
 * Makes the clock of a process.
 * @param workers Its worker threads. @default none
 */
export const limitClock = (workers?: { readonly busyMs: number }): LimitClock => ({
  now: () => performance.now(),
  busyMs: () => [mainBusyMs(), workers?.busyMs ?? 0],
});

/** Where a runtime does not count it (Bun), the thread counts as busy all the time. */
const mainBusyMs = (): number =>
  (performance as Partial<typeof performance>).eventLoopUtilization === undefined
    ? performance.now()
    : performance.eventLoopUtilization().active;

/** An instant: the time, and for how long the threads had been busy. */
interface Instant {
  at: number;
  busyMs: readonly number[];
}

/** A limit from 32 to 240 that learns from the reads of one volume. */
export class AdaptiveLimit implements ReadLimit {
  readonly #clock: LimitClock;
  #limit = FEWEST_READS;
  /** The shortest mean time of a read in a round so far, and how many could run in that round. */
  #shortestMs = Infinity;
  #shortestAt = FEWEST_READS;
  /** A round ends when as many reads have ended as could run when it began. */
  #roundReads = FEWEST_READS;
  /** When this round began. */
  #began: Instant;
  #reads = 0;
  /** Whether the threads had time when the clock was looked at, and for how many more reads that counts. */
  #hadTime = true;
  #readsUntilLook = 0;
  #totalMs = 0;
  #totalBytes = 0;

  constructor(clock: LimitClock = limitClock()) {
    this.#clock = clock;
    this.#began = this.#instant();
  }

  get limit(): number {
    return this.#limit;
  }

  resume(): void {
    this.#began = this.#instant();
    this.#readsUntilLook = 0;
  }

  ended(ms: number, bytes: number, waiting: number): boolean {
    this.#reads++;
    this.#totalMs += ms;
    this.#totalBytes += bytes;
    const before = this.#limit,
      mostByBytes = Math.floor((MOST_BYTES * this.#reads) / Math.max(1, this.#totalBytes));
    if (before > mostByBytes) this.#limit = Math.max(FEWEST_READS, before - 1);
    else if (before < Math.min(2 * this.#roundReads, MOST_READS, mostByBytes)) {
      const isFar = waiting > 0 && ms >= SHORTEST_MS;
      if (isFar && this.#totalMs <= SLOWER * this.#shortestMs * this.#reads && this.#haveThreadsTime())
        this.#limit++;
    }
    if (this.#reads >= this.#roundReads) this.#endRound();
    return this.#limit !== before;
  }

  #instant(): Instant {
    return { at: this.#clock.now(), busyMs: this.#clock.busyMs() };
  }

  /**
   * Looks at the clock once for a few reads. In the first round it is not known: threads are busy because
   * their code is compiled.
   */
  #haveThreadsTime(): boolean {
    if (this.#shortestMs === Infinity) return true;
    if (this.#readsUntilLook-- > 0) return this.#hadTime;
    this.#readsUntilLook = READS_PER_LOOK - 1;
    return (this.#hadTime = this.#lookForTime());
  }

  #lookForTime(): boolean {
    const { at, busyMs } = this.#instant(),
      mostMs = BUSIEST * (at - this.#began.at);
    return busyMs.every((busy, k) => busy - this.#began.busyMs[k] <= mostMs);
  }

  #endRound(): void {
    this.#readsUntilLook = 0;
    const meanMs = this.#totalMs / this.#reads;
    // Reads that take longer although no more of them run show that the path has changed.
    if (this.#roundReads <= this.#shortestAt) this.#shortestMs *= LEARNING;
    if (meanMs < this.#shortestMs) {
      this.#shortestMs = meanMs;
      this.#shortestAt = this.#roundReads;
    }
    if (meanMs > MUCH_SLOWER * this.#shortestMs)
      this.#limit = Math.max(FEWEST_READS, Math.floor(this.#limit * 0.75));
    this.#began = this.#instant();
    this.#roundReads = this.#limit;
    this.#reads = this.#totalMs = this.#totalBytes = 0;
  }
}
