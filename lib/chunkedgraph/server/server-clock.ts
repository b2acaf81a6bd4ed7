/**
 * What time it is for the graph server. Two clocks tell: the local one, and the server's last `Date` plus the time since.
 *
 * A "now" ahead of the server's clock would be answered as of the server's own, later, now, and two batches would see two states: so "now"
 * is the earlier of both. A clock that is far behind would give roots of long ago: clocks more than {@link MAX_SKEW_MS} apart cannot both be
 * right, nobody can tell which is, and "now" is the later then. At worst that lies in the future, which the server answers as of its own now.
 * (It also helps a machine that has slept: there the time since the last `Date` stood still.)
 *
 * "Now" never goes back, and it never lies before an edit that this process has made: see {@link EarliestNow}. An edit's own timestamp is
 * of the server's clock and in its past, so it may be ahead of both of the clocks here and yet not of the server's.
 */
import { EarliestNow } from './earliest-now.ts';

export interface Clocks {
  /** Milliseconds since 1970. */
  wall: () => number;
  /** Milliseconds that never jump. */
  steady: () => number;
}

export interface ServerClockOptions {
  /** @default the machine's */
  clocks?: Clocks;
  /** @default of this clock alone */
  earliestNow?: EarliestNow;
  /** Told once when the clocks are further apart than {@link MAX_SKEW_MS}. */
  warn?: (message: string) => void;
}

/** In whole milliseconds since 1970. */
export interface ClockReading {
  /** What to use for "now". */
  nowMs: number;
  /** "Now" by the earlier of both clocks: what lies far enough before it is final, whichever of them is right. */
  certainMs: number;
}

/** Of a `Date` header; clocks of the servers behind one name differ by less. */
const GRANULARITY_MS = 1000;

/** An edit, or what another volume has heard, may put "now" so far ahead of what a `Date` has told here. */
const GAP_MS = 2 * GRANULARITY_MS;

/** Clocks further apart are wrong: the answers of an hour, or of a year ago, would pass for those of now. */
export const MAX_SKEW_MS = 300_000;

const SYSTEM: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

export class ServerClock {
  readonly #clocks: Clocks;
  readonly #present: EarliestNow;
  readonly #warn: ((message: string) => void) | undefined;
  #warned = false;
  #server: { ms: number; at: number } | undefined;

  constructor({ clocks = SYSTEM, earliestNow: present = new EarliestNow(), warn }: ServerClockOptions = {}) {
    this.#clocks = clocks;
    this.#present = present;
    this.#warn = warn;
  }

  /**
   * Learns from a reply's `Date` header; ignores one that is missing or broken. The header has whole seconds and is read late, so it says
   * when it was at least; of two that agree to a second the one that says more stands.
   */
  noteDate(date: string | undefined): void {
    const ms = date === undefined ? NaN : Date.parse(date);
    if (Number.isNaN(ms)) return;
    const behind = this.#server ? this.#serverMs() - ms : NaN;
    if (!(behind >= 0 && behind <= GRANULARITY_MS)) this.#server = { ms, at: this.#clocks.steady() };
    this.#compare(ms);
  }

  /** Both clocks looked at once. */
  read(): ClockReading {
    const local = this.#clocks.wall(),
      server = this.#serverMs();
    const earliest = Math.min(local, server);
    const nowMs = this.#present.advanceTo(
      Math.floor(isSkewed(local, server) ? Math.max(local, server) : earliest),
    );
    return { nowMs, certainMs: Math.min(nowMs, Math.floor(earliest) + GAP_MS) };
  }

  now(): number {
    return this.read().nowMs;
  }

  /** "Now" that was taken for several questions counts no longer when it lies before this. */
  get editMs(): number {
    return this.#present.editMs;
  }

  /** @param ms The timestamp of an edit that is done. @default not known; it is not later than the newest that the time can be now */
  noteEdit(ms = Math.ceil(this.#latest())): void {
    this.#present.noteEdit(ms);
  }

  /** Infinity before the server has said anything. */
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
      `the clocks differ: it is ${new Date(local).toISOString()} by this machine and ${new Date(serverMs).toISOString()} by the server; ` +
        '"now" is the later of both, so that roots are never old, and timestamps of results may be wrong: set the clock that is wrong',
    );
  }
}

const isSkewed = (local: number, server: number): boolean =>
  server !== Infinity && Math.abs(local - server) > MAX_SKEW_MS;
