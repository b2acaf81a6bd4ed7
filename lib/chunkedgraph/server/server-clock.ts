/**
 * Tells what time it is for the graph server. It has two sources: the local clock, and the server's last
 * `Date` header plus the time since then.
 *
 * If "now" were later than the server's clock, the server would answer as of its own later "now", and two
 * batches would see two states. So "now" is the earlier of the two. But a clock that is far behind would give
 * old roots. If the clocks are more than {@link MAX_SKEW_MS} apart, one of them is wrong, and there is no way
 * to know which. Then "now" is the later one: at worst it lies in the future, and the server answers as of
 * its own now. (This also helps a machine that has slept: there, the time since the last `Date` did not
 * advance.)
 *
 * "Now" never goes back, and it is never before an edit that this process made: see {@link EarliestNow}. An
 * edit's timestamp comes from the server's clock. It can be later than both sources here, and still in the
 * past for the server.
 */
import { EarliestNow } from './earliest-now.ts';

/** The clocks of this machine. */
export interface Clocks {
  /** The wall clock, in ms since 1970. */
  wall: () => number;
  /** A clock that never jumps, in ms. */
  steady: () => number;
}

/** Settings of a server clock. */
export interface ServerClockOptions {
  /** The local clocks. @default the clocks of the machine */
  clocks?: Clocks;
  /** The lower limit of "now". @default a limit of this clock alone */
  earliestNow?: EarliestNow;
  /** Called once if the clocks are further apart than {@link MAX_SKEW_MS}. */
  warn?: (message: string) => void;
}

/** One reading of the clock, in whole ms since 1970. */
export interface ClockReading {
  /** The value of "now". */
  nowMs: number;
  /**
   * "Now" by the earlier of the two sources. A timestamp far enough before it is final, whichever source is
   * right.
   */
  certainMs: number;
}

/** Resolution of a `Date` header. Servers behind one host name differ by less. */
const GRANULARITY_MS = 1000;

/** An edit, or another volume's `Date`, may move "now" this far ahead of the last `Date` seen here. */
const MAX_LEAD_MS = 2 * GRANULARITY_MS;

/**
 * Largest difference between two clocks that are trusted, in ms. With a larger one, answers of an hour or a
 * year ago could pass as current ones.
 */
export const MAX_SKEW_MS = 300_000;

const SYSTEM: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

/** The clock of one graph server. */
export class ServerClock {
  readonly #clocks: Clocks;
  readonly #earliestNow: EarliestNow;
  readonly #warn: ((message: string) => void) | undefined;
  #warned = false;
  #server: { ms: number; at: number } | undefined;

  constructor({ clocks = SYSTEM, earliestNow = new EarliestNow(), warn }: ServerClockOptions = {}) {
    this.#clocks = clocks;
    this.#earliestNow = earliestNow;
    this.#warn = warn;
  }

  /**
   * Learns from a reply's `Date` header. Ignores a missing or broken header. The header has whole seconds and
   * arrives late, so it is a lower limit of the server's time. If two agree to the second, the one that gives
   * the later time is kept.
   */
  noteDate(date: string | undefined): void {
    const ms = date === undefined ? NaN : Date.parse(date);
    if (Number.isNaN(ms)) return;
    const behind = this.#server ? this.#serverMs() - ms : NaN;
    if (!(behind >= 0 && behind <= GRANULARITY_MS)) this.#server = { ms, at: this.#clocks.steady() };
    this.#compare(ms);
  }

  /** Reads both sources, and returns "now". */
  read(): ClockReading {
    const local = this.#clocks.wall(),
      server = this.#serverMs();
    const earliest = Math.min(local, server);
    const nowMs = this.#earliestNow.advanceTo(
      Math.floor(isSkewed(local, server) ? Math.max(local, server) : earliest),
    );
    return { nowMs, certainMs: Math.min(nowMs, Math.floor(earliest) + MAX_LEAD_MS) };
  }

  /** Returns "now", in whole ms since 1970. */
  now(): number {
    return this.read().nowMs;
  }

  /** A stored "now" must not be reused if it is before this timestamp, in ms since 1970. */
  get editMs(): number {
    return this.#earliestNow.editMs;
  }

  /**
   * Notes that an edit is done.
   *
   * @param ms Timestamp of the edit, in ms since 1970. @default unknown: the latest that the server's time
   *   can be now
   */
  noteEdit(ms = Math.ceil(this.#latest())): void {
    this.#earliestNow.noteEdit(ms);
  }

  /** Returns Infinity if no `Date` header has arrived yet. */
  #serverMs(): number {
    return this.#server ? this.#server.ms + this.#clocks.steady() - this.#server.at : Infinity;
  }

  #latest(): number {
    const local = this.#clocks.wall(),
      server = this.#serverMs();
    return server === Infinity ? local : Math.max(local, server + GRANULARITY_MS);
  }

  #compare(serverMs: number): void {
    const local = this.#clocks.wall();
    if (this.#warned || !this.#warn || !isSkewed(local, serverMs)) return;
    this.#warned = true;
    this.#warn(
      `the clocks differ: this machine says ${new Date(local).toISOString()}, and the server says ${new Date(serverMs).toISOString()}; ` +
        '"now" is the later of the two, so that roots are never old, but timestamps of results may be wrong: correct the wrong clock',
    );
  }
}

const isSkewed = (local: number, server: number): boolean =>
  server !== Infinity && Math.abs(local - server) > MAX_SKEW_MS;
