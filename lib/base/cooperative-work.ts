/**
 * Runs long work without blocking the event loop. The work is a generator that yields wherever it may pause,
 * every few thousand steps; it does not look at the clock. Short work runs to its end at once.
 */

/** Work that may be paused wherever it yields. */
export type PausableWork<T = void> = Generator<void, T, void>;

/** The clock and the event loop of a runner. Specs replace them. */
export interface RunnerClock {
  /** Returns milliseconds of a monotonic clock. */
  now: () => number;
  /** Calls `act` in a later turn of the event loop, after timers and sockets have had their turn. */
  afterLoopTurn: (act: () => void) => void;
}

const SYSTEM: RunnerClock = { now: () => performance.now(), afterLoopTurn: (act) => void setImmediate(act) };

/** How long all work of one turn of the event loop together may hold it. */
const HOLD_MS = 4;

/** Runs pausable work, and pauses it once the event loop has been held for 4 ms. */
export class CooperativeRunner {
  readonly #clock: RunnerClock;
  /** When the first work of this turn began; undefined before that. */
  #since: number | undefined;
  readonly #paused: (() => void)[] = [];

  constructor(clock: RunnerClock = SYSTEM) {
    this.#clock = clock;
  }

  /** Tells whether the event loop has been held for long enough, so that work should pause. */
  isDue(): boolean {
    const now = this.#clock.now();
    if (this.#since !== undefined) return now - this.#since >= HOLD_MS;
    this.#since = now;
    this.#clock.afterLoopTurn(() => (this.#since = undefined));
    return false;
  }

  /**
   * Resolves in a later turn of the event loop, in the order of the calls. Only one caller resumes in each
   * turn, so that turns stay short.
   */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#paused.push(resolve) === 1) this.#clock.afterLoopTurn(() => this.#release());
    });
  }

  #release(): void {
    const resume = this.#paused[0];
    resume();
    this.#paused.shift();
    if (this.#paused.length > 0) this.#clock.afterLoopTurn(() => this.#release());
  }

  /**
   * Runs work to its end.
   * @returns The result of the work; a promise only if it had to pause.
   * @throws What the work throws; `signal.reason` at the first yield after the signal has aborted.
   */
  run<T>(work: PausableWork<T>, signal?: AbortSignal): T | Promise<T> {
    for (let step = work.next(); ; step = work.next()) {
      if (step.done) return step.value;
      signal?.throwIfAborted();
      if (this.isDue()) return this.#resume(work, signal);
    }
  }

  async #resume<T>(work: PausableWork<T>, signal: AbortSignal | undefined): Promise<T> {
    for (;;) {
      await this.pause();
      do {
        signal?.throwIfAborted();
        const step = work.next();
        if (step.done) return step.value;
      } while (!this.isDue());
    }
  }
}

/** The runner of this process: all volumes share one event loop, and so one runner. */
export const cooperativeRunner = new CooperativeRunner();

/** Runs work to its end without a pause. Work that was done at once, and is undefined, stays so. */
export function runWithoutPause(work: PausableWork | void): void;
export function runWithoutPause<T>(work: PausableWork<T>): T;
export function runWithoutPause<T>(work: PausableWork<T> | void): T | void {
  if (work) for (let step = work.next(); ; step = work.next()) if (step.done) return step.value;
}

/**
 * Calls `act` for the numbers from 0 to `count`, one stretch of `size` numbers per call, and yields between
 * stretches. V8 optimizes a small function that is called often sooner than one long loop.
 */
export function* inStretches(
  count: number,
  act: (from: number, end: number) => void,
  size = STRETCH,
): PausableWork {
  for (let from = 0; from < count; from += size) {
    if (from > 0) yield;
    act(from, Math.min(count, from + size));
  }
}

/** Numbers per stretch, for steps of about 10 to 100 ns each. */
const STRETCH = 2 ** 14;

/** Fills an array in stretches. The first touch of fresh memory takes long enough to need pauses. */
export const fillInStretches = (array: Uint8Array | Float32Array, value: number): PausableWork =>
  inStretches(array.length, (from, end) => void array.fill(value, from, end), 2 ** 18);
