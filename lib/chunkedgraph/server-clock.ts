/**
 * What time it is for the graph server. A "now" ahead of the server's clock would be answered at the server's own, later, now, and two
 * batches would see two states; so now is the earlier of the local clock and the server's last `Date` plus the time since.
 */
export interface Clocks {
  /** Milliseconds since 1970. */
  wall: () => number;
  /** Milliseconds that never jump. */
  steady: () => number;
}

/** Of a `Date` header; clocks of the servers behind one name differ by less. */
const GRANULARITY_MS = 1000;

const SYSTEM: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

export class ServerClock {
  readonly #clocks: Clocks;
  #server: { ms: number; at: number } | undefined;

  constructor(clocks: Clocks = SYSTEM) {
    this.#clocks = clocks;
  }

  /**
   * Learns from a reply's `Date` header; ignores one that is missing or broken. The header has whole seconds and is read late, so it says
   * when it was at least; of two that agree to a second the one that says more stands, and now does not go back.
   */
  note(date: string | undefined): void {
    const ms = date === undefined ? NaN : Date.parse(date), at = this.#clocks.steady();
    const behind = this.#server ? this.#server.ms + at - this.#server.at - ms : NaN;
    if (!Number.isNaN(ms) && !(behind >= 0 && behind <= GRANULARITY_MS)) this.#server = { ms, at };
  }

  /** The instant to use for "now", in whole milliseconds. */
  now(): number {
    const local = this.#clocks.wall();
    const server = this.#server ? this.#server.ms + this.#clocks.steady() - this.#server.at : Infinity;
    return Math.floor(Math.min(local, server));
  }
}
