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

const SYSTEM: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

export class ServerClock {
  readonly #clocks: Clocks;
  #server: { ms: number; at: number } | undefined;

  constructor(clocks: Clocks = SYSTEM) {
    this.#clocks = clocks;
  }

  /** Learns from a reply's `Date` header; ignores one that is missing or broken. */
  note(date: string | undefined): void {
    const ms = date === undefined ? NaN : Date.parse(date);
    if (!Number.isNaN(ms)) this.#server = { ms, at: this.#clocks.steady() };
  }

  /** The instant to use for "now", in whole milliseconds. */
  now(): number {
    const local = this.#clocks.wall();
    const server = this.#server ? this.#server.ms + this.#clocks.steady() - this.#server.at : Infinity;
    return Math.floor(Math.min(local, server));
  }
}
