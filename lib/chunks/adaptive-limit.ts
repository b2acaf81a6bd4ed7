/**
 * How many reads run at once. A fixed limit stays as it is. The adaptive limit follows the gradient rule: it
 * grows while reads take no longer than before although more of them run, and falls when they take much longer.
 * Reads that wait for a distant server therefore run in larger numbers; reads that wait for each other do not.
 */

/** How many reads may run at once. */
export interface ReadLimit {
  readonly limit: number;
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
export const fixedLimit = (limit: number): ReadLimit => ({ limit, ended: () => false });

/** The smallest limit, where it starts. */
export const FEWEST_READS = 32;
/** The largest limit. */
export const MOST_READS = 256;
/** Most stored bytes in flight for which the limit grows. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Reads that take less time than this do not wait for a distant server. */
const SHORTEST_MS = 8;
/** The thread must have been idle for this part of the time: otherwise it could not do more reads. */
const LEAST_IDLE = 0.25;
/** More reads are of no use if each takes this many times as long. */
const SLOWER = 1.5;
/** Reads that take this many times as long wait for each other. */
const MUCH_SLOWER = 2.5;

/** The clock of an {@link AdaptiveLimit}. Specs replace it. */
export interface LimitClock {
  /** Returns milliseconds of a monotonic clock. */
  now(): number;
  /** Returns how many milliseconds the thread has been idle. */
  idleMs(): number;
}

const SYSTEM: LimitClock = {
  now: () => performance.now(),
  // Where a runtime does not count it (Bun), the thread counts as busy, and the limit does not grow.
  idleMs: () =>
    (performance as Partial<typeof performance>).eventLoopUtilization === undefined
      ? 0
      : performance.eventLoopUtilization().idle,
};

/** A limit from 32 to 256 that learns from the reads of one volume. */
export class AdaptiveLimit implements ReadLimit {
  readonly #clock: LimitClock;
  #limit = FEWEST_READS;
  /** The shortest mean time of a read so far. It grows slowly, so that a changed path is learned. */
  #shortestMs = Infinity;
  #began: { at: number; idleMs: number };
  #reads = 0;
  #totalMs = 0;
  #totalBytes = 0;

  constructor(clock: LimitClock = SYSTEM) {
    this.#clock = clock;
    this.#began = { at: clock.now(), idleMs: clock.idleMs() };
  }

  get limit(): number {
    return this.#limit;
  }

  ended(ms: number, bytes: number, waiting: number): boolean {
    if (this.#reads === 0 && this.#totalMs === 0) this.#beginRound(ms);
    this.#reads++;
    this.#totalMs += ms;
    this.#totalBytes += bytes;
    if (this.#reads < this.#limit) return false;
    const before = this.#limit;
    this.#limit = this.#nextLimit(waiting);
    this.#reads = this.#totalMs = this.#totalBytes = 0;
    return this.#limit !== before;
  }

  /** Begins a round when its first read began, so that a pause between two calls does not count as idle time. */
  #beginRound(ms: number): void {
    const now = this.#clock.now(),
      idleMs = this.#clock.idleMs(),
      since = Math.max(this.#began.at, now - ms);
    this.#began = { at: since, idleMs: Math.max(this.#began.idleMs, idleMs - (now - since)) };
  }

  #nextLimit(waiting: number): number {
    const now = this.#clock.now(),
      idleMs = this.#clock.idleMs();
    const idle = (idleMs - this.#began.idleMs) / Math.max(1e-3, now - this.#began.at);
    this.#began = { at: now, idleMs };
    const meanMs = this.#totalMs / this.#reads,
      meanBytes = this.#totalBytes / this.#reads,
      limit = this.#limit;
    this.#shortestMs = Math.min(this.#shortestMs * 1.02, meanMs);
    if (meanMs > MUCH_SLOWER * this.#shortestMs) return Math.max(FEWEST_READS, Math.floor(limit * 0.75));
    const mayGrow =
      waiting > 0 && meanMs >= SHORTEST_MS && meanMs <= SLOWER * this.#shortestMs && idle >= LEAST_IDLE;
    if (!mayGrow) return limit;
    const mostByBytes = Math.floor(MOST_BYTES / Math.max(1, meanBytes));
    return Math.max(limit, Math.min(2 * limit, MOST_READS, mostByBytes));
  }
}
