/**
 * The instants that "now" and "settled" stand for, each held for one window, so that all who ask within it ask about one state.
 * An edit bears the time of its lock and is seen when it has been written, which may take as long as the lock lasts: what is asked about a
 * moment younger than that may be answered otherwise later. Source: PyChunkedGraph, graph/chunkedgraph.py, ROOT_LOCK_EXPIRY (3 minutes).
 */
import type { ServerClock } from './server-clock.ts';

export interface InstantsOptions {
  /** How old a moment must be for its answers to be final. @default 180_000 */
  settleMs?: number;
  /** How long an instant is held; 0: one turn of the event loop. @default 0 */
  windowMs?: number;
}

export class Instants {
  readonly #clock: Pick<ServerClock, 'now'>;
  readonly #settleMs: number;
  readonly #windowMs: number;
  #held: number | undefined;

  constructor(clock: Pick<ServerClock, 'now'>, { settleMs = 180_000, windowMs = 0 }: InstantsOptions = {}) {
    this.#clock = clock;
    this.#settleMs = settleMs;
    this.#windowMs = windowMs;
  }

  /** In whole milliseconds since 1970. */
  now(): number {
    if (this.#held === undefined) {
      this.#held = this.#clock.now();
      afterWindow(this.#windowMs, () => (this.#held = undefined));
    }
    return this.#held;
  }

  /** The newest moment whose answers are final. */
  settled(): number {
    return this.now() - this.#settleMs;
  }

  isSettled(timestampMs: number): boolean {
    return timestampMs <= this.settled();
  }
}

/** Acts when a window of so many milliseconds ends; 0: after one turn of the event loop. */
export function afterWindow(windowMs: number, act: () => void): void {
  if (windowMs === 0) setImmediate(act);
  else setTimeout(act, windowMs);
}
