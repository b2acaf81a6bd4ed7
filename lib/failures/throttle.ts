/**
 * How many requests one server is given at once: as many as there are, until it says that they are too many (429, 503). Then half as many,
 * once for all that were under way; one more again with every so many that it answers. While it wants to be left alone (`Retry-After`)
 * nothing new is sent. How many there can be at most is for those who ask.
 */
import { onAbort } from '../base/abort.ts';

/** What a request showed about its server. */
export interface ServerFeedback {
  /** Whether it was told to come back later. */
  busy: boolean;
  /** Whether it was answered. */
  answered: boolean;
  /** How long the server wants to be left alone; undefined when it has not said. */
  retryAfterMs?: number;
}

/** A request's place among those that run at once: to be given back once, with what the request showed. */
export type ReleaseSlot = (seen: ServerFeedback) => void;

export class Throttle {
  /** Infinity until the server was busy for the first time. */
  #limit = Infinity;
  #running = 0;
  /** Requests that began before the last halving say nothing about what it has brought. */
  #era = 0;
  #aloneUntil = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  /** What lets each in. */
  readonly #waiting = new Set<() => void>();

  /** Requests that may run at once now; Infinity: as many as there are. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /**
   * A turn, at once where there is one: first come, first served.
   * @param stop Its signal is looked at only where there is something to wait for.
   * @throws signal.reason while it waits.
   */
  take(stop: { readonly signal?: AbortSignal }): ReleaseSlot | Promise<ReleaseSlot> {
    return this.#waiting.size === 0 && this.#hasRoom() ? this.#begin() : this.#wait(stop.signal);
  }

  #begin(): ReleaseSlot {
    const era = this.#era;
    this.#running++;
    return (seen) => {
      this.#learn(seen, era);
      this.#running--;
      this.#admit();
    };
  }

  #wait(signal: AbortSignal | undefined): Promise<ReleaseSlot> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        release?.();
        resolve(this.#begin());
      };
      this.#waiting.add(enter);
      const release =
        signal &&
        onAbort(signal, () => {
          this.#waiting.delete(enter);
          this.#admit();
          reject(signal.reason as Error);
        });
      this.#admit();
    });
  }

  #learn({ busy, answered, retryAfterMs: aloneMs = 0 }: ServerFeedback, era: number): void {
    if (aloneMs > 0) this.#aloneUntil = Math.max(this.#aloneUntil, performance.now() + aloneMs);
    if (busy && era === this.#era) {
      this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.#running) / 2));
      this.#era++;
    } else if (answered && this.#running >= this.limit) this.#limit += 1 / this.#limit; // a limit that is not reached says nothing
  }

  #hasRoom(now = performance.now()): boolean {
    return this.#running < this.limit && now >= this.#aloneUntil;
  }

  /** Lets in those for whom there is room, and comes back when the server may be asked again. */
  #admit(): void {
    clearTimeout(this.#timer);
    // read once: were the time to come between two looks, no timer would be set
    const now = performance.now();
    for (const enter of this.#waiting) {
      if (!this.#hasRoom(now)) break;
      this.#waiting.delete(enter);
      enter();
    }
    const aloneMs = this.#aloneUntil - now;
    if (this.#waiting.size > 0 && aloneMs > 0)
      this.#timer = setTimeout(() => this.#admit(), Math.ceil(aloneMs));
  }
}
