/**
 * Holds "now" and "settled" for one window, so that all callers within the window see the same state of the
 * graph.
 *
 * An edit has the timestamp of its lock, and becomes visible when it has been written. That can take as long
 * as the lock lasts. So answers for a timestamp younger than that may still change. Source: PyChunkedGraph,
 * graph/chunkedgraph.py, ROOT_LOCK_EXPIRY (3 minutes).
 */
import type { ClockReading, ServerClock } from '../server/server-clock.ts';

/** Settings of a window clock. */
export interface WindowClockOptions {
  /** How old a timestamp must be, in ms, for its answers to be final. @default 180_000 */
  settleMs?: number;
  /** How long a reading is held, in ms. 0 means one turn of the event loop. @default 0 */
  windowMs?: number;
}

/** The clock that is read. */
export type ClockSource = Pick<ServerClock, 'read' | 'editMs'>;

/** A clock that gives the same "now" to all callers within one window. */
export class WindowClock {
  readonly #clock: ClockSource;
  readonly #settleMs: number;
  readonly #windowMs: number;
  #held: ClockReading | undefined;

  constructor(clock: ClockSource, { settleMs = 180_000, windowMs = 0 }: WindowClockOptions = {}) {
    this.#clock = clock;
    this.#settleMs = settleMs;
    this.#windowMs = windowMs;
  }

  /**
   * Returns "now" in whole ms since 1970. After an edit by this process, an older reading is not used any
   * more.
   */
  now(): number {
    return this.#instant().nowMs;
  }

  /**
   * Returns the newest timestamp whose answers are final, in ms since 1970. It uses the earlier of the local
   * clock and the server's, whichever "now" uses.
   */
  settled(): number {
    return this.#instant().certainMs - this.#settleMs;
  }

  /** Whether the answers for a timestamp are final. */
  isSettled(timestampMs: number): boolean {
    return timestampMs <= this.settled();
  }

  #instant(): ClockReading {
    const clock = this.#clock;
    if (this.#held && this.#held.nowMs >= clock.editMs) return this.#held;
    // The process may end before the window does.
    if (!this.#held) afterWindow(this.#windowMs, () => (this.#held = undefined)).unref();
    return (this.#held = clock.read());
  }
}

/** Calls `act` at the end of a window of `windowMs`. 0 means after one turn of the event loop. */
export function afterWindow(windowMs: number, act: () => void): NodeJS.Immediate | NodeJS.Timeout {
  return windowMs === 0 ? setImmediate(act) : setTimeout(act, windowMs);
}
