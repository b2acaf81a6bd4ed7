/**
 * Long work that lets the event loop go on. The work is a generator that yields wherever it may pause, every few thousand steps: it knows
 * nothing of time. Work that is short runs to its end at once.
 */

/** Work that may pause where it yields. */
export type PausableWork<T = void> = Generator<void, T, void>;

export interface RunnerClock {
  /** Milliseconds that never jump. */
  now: () => number;
  /** Acts once the event loop has gone on: timers and sockets had their turn. */
  afterLoopTurn: (act: () => void) => void;
}

const SYSTEM: RunnerClock = { now: () => performance.now(), afterLoopTurn: (act) => void setImmediate(act) };

/** All who work in one turn of the event loop together hold it for about as long. */
const HOLD_MS = 8;

export class CooperativeRunner {
  readonly #clock: RunnerClock;
  /** When the first work of this turn was seen. */
  #since: number | undefined;
  readonly #paused: (() => void)[] = [];

  constructor(clock: RunnerClock = SYSTEM) {
    this.#clock = clock;
  }

  /** Whether the event loop has been held for long enough. */
  isDue(): boolean {
    const now = this.#clock.now();
    if (this.#since !== undefined) return now - this.#since >= HOLD_MS;
    this.#since = now;
    this.#clock.afterLoopTurn(() => (this.#since = undefined));
    return false;
  }

  /** Resolves in a later turn, first come, first served: in each turn one goes on, or all who work would do a little in the same one. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#paused.push(resolve) === 1) this.#clock.afterLoopTurn(() => this.#release());
    });
  }

  #release(): void {
    const goOn = this.#paused[0];
    goOn();
    this.#paused.shift();
    if (this.#paused.length > 0) this.#clock.afterLoopTurn(() => this.#release());
  }

  /**
   * Does the work.
   * @returns What it gives: at once when no pause was due.
   * @throws signal.reason at the next pause that work offers.
   */
  run<T>(work: PausableWork<T>, signal?: AbortSignal): T | Promise<T> {
    for (let step = work.next(); ; step = work.next()) {
      if (step.done) return step.value;
      signal?.throwIfAborted();
      if (this.isDue()) return this.#goOn(work, signal);
    }
  }

  async #goOn<T>(work: PausableWork<T>, signal: AbortSignal | undefined): Promise<T> {
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

/** The event loop is one for all volumes of the process, and so is this. */
export const cooperativeRunner = new CooperativeRunner();

/** Does the work without a pause. */
export function runWithoutPause<T>(work: PausableWork<T>): T {
  for (let step = work.next(); ; step = work.next()) if (step.done) return step.value;
}

/** Acts on 0 to `count`, a stretch at a time. Small functions that are called often are compiled sooner than a loop that goes round often. */
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

/** Steps of some 10 to 100 ns each. */
const STRETCH = 2 ** 14;

/** Fills fresh memory: to touch it for the first time takes longer than to write to it. */
export const fillInStretches = (array: Uint8Array | Float32Array, value: number): PausableWork =>
  inStretches(array.length, (from, end) => void array.fill(value, from, end), 2 ** 18);
