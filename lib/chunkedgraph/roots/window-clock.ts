/**
 * The instants that "now" and "settled" stand for, each held for one window, so that all who ask within it ask about one state.
 * An edit bears the time of its lock and is seen when it has been written, which may take as long as the lock lasts: what is asked about a
 * moment younger than that may be answered otherwise later. Source: PyChunkedGraph, graph/chunkedgraph.py, ROOT_LOCK_EXPIRY (3 minutes).
 */
import type { ClockReading, ServerClock } from '../server/server-clock.ts';

export interface WindowClockOptions {
  /** How old a moment must be for its answers to be final. @default 180_000 */
  settleMs?: number;
  /** How long an instant is held; 0: one turn of the event loop. @default 0 */
  windowMs?: number;
}

/** What instants are taken from. */
export type ClockSource = Pick<ServerClock, 'read' | 'editMs'>;

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

  /** In whole milliseconds since 1970. An instant from before an edit of this process is not used after the edit. */
  now(): number {
    return this.#instant().nowMs;
  }

  /** The newest moment whose answers are final; by the earlier of the local and the server's clock, whatever "now" is. */
  settled(): number {
    return this.#instant().certainMs - this.#settleMs;
  }

  isSettled(timestampMs: number): boolean {
    return timestampMs <= this.settled();
  }

  #instant(): ClockReading {
    const clock = this.#clock;
    if (this.#held && this.#held.nowMs >= clock.editMs) return this.#held;
    // nobody waits for its end
    if (!this.#held) afterWindow(this.#windowMs, () => (this.#held = undefined)).unref();
    return (this.#held = clock.read());
  }
}

/** Acts when a window of so many milliseconds ends; 0: after one turn of the event loop. */
export function afterWindow(windowMs: number, act: () => void): NodeJS.Immediate | NodeJS.Timeout {
  return windowMs === 0 ? setImmediate(act) : setTimeout(act, windowMs);
}
