/**
 * Limits how many requests run at once towards one server. There is no limit until the server refuses
 * requests (429, 503). Then the limit is half of the running requests, once for all requests of that time. It
 * grows by one each time the server has answered as many requests as the limit. During a `Retry-After`, no
 * request starts.
 */
import { onAbort } from '../base/abort.ts';

/** What a request showed about the load of its server. */
export interface ServerFeedback {
  /** Whether the server refused the request because of its load. */
  busy: boolean;
  /** Whether the server answered the request. */
  answered: boolean;
  /** How long the server wants no requests, in ms (`Retry-After`); undefined if it has not said. */
  retryAfterMs?: number;
}

/** Frees the slot of a request. Call it once, with what the request showed about the server. */
export type ReleaseSlot = (feedback: ServerFeedback) => void;

/** The limit of one server. */
export class Throttle {
  /** Infinity until the server is busy for the first time. */
  #limit = Infinity;
  #running = 0;
  /** Counts the halvings. A request that started before the last halving says nothing about its effect. */
  #halvings = 0;
  #pausedUntil = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  /** One function per waiting request, which starts it. */
  readonly #waiting = new Set<() => void>();

  /** How many requests may run at once now. Infinity means no limit. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /**
   * Reserves a slot: at once if one is free, else in the order of the calls.
   * @param stop Holds the signal of the request. The signal is read only if the request has to wait.
   * @throws signal.reason while it waits.
   */
  take(stop: { readonly signal?: AbortSignal }): ReleaseSlot | Promise<ReleaseSlot> {
    return this.#waiting.size === 0 && this.#hasFreeSlot() ? this.#reserve() : this.#wait(stop.signal);
  }

  #reserve(): ReleaseSlot {
    const halvings = this.#halvings;
    this.#running++;
    return (feedback) => {
      this.#learn(feedback, halvings);
      this.#running--;
      this.#startWaiting();
    };
  }

  #wait(signal: AbortSignal | undefined): Promise<ReleaseSlot> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        release?.();
        resolve(this.#reserve());
      };
      this.#waiting.add(start);
      const release =
        signal &&
        onAbort(signal, () => {
          this.#waiting.delete(start);
          this.#startWaiting();
          reject(signal.reason as Error);
        });
      this.#startWaiting();
    });
  }

  #learn({ busy, answered, retryAfterMs: pauseMs = 0 }: ServerFeedback, halvings: number): void {
    if (pauseMs > 0) this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + pauseMs);
    if (busy && halvings === this.#halvings) {
      this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.#running) / 2));
      this.#halvings++;
    } else if (answered && this.#running >= this.limit) this.#limit += 1 / this.#limit; // below the limit, an answer shows nothing
  }

  #hasFreeSlot(now = performance.now()): boolean {
    return this.#running < this.limit && now >= this.#pausedUntil;
  }

  /** Starts as many waiting requests as there are slots. Sets a timer for the end of `Retry-After`. */
  #startWaiting(): void {
    clearTimeout(this.#timer);
    // The clock is read once. With two reads, `Retry-After` could end between them, and no timer would be
    // set.
    const now = performance.now();
    for (const start of this.#waiting) {
      if (!this.#hasFreeSlot(now)) break;
      this.#waiting.delete(start);
      start();
    }
    const pauseMs = this.#pausedUntil - now;
    if (this.#waiting.size > 0 && pauseMs > 0)
      this.#timer = setTimeout(() => this.#startWaiting(), Math.ceil(pauseMs));
  }
}
