/**
 * How many requests one server is given at once: as many as there are, until it says that they are too many (429, 503). Then half as many,
 * once for all that were under way; one more again with every so many that it answers. While it wants to be left alone (`Retry-After`)
 * nothing new is sent. How many there can be at most is for those who ask.
 */
import type { Stopper } from './stopper.ts';

/** What a request showed about its server. */
export interface Experience {
  /** Whether it was told to come back later. */
  busy: boolean;
  /** Whether it was answered. */
  answered: boolean;
  /** How long the server wants to be left alone; undefined when it has not said. */
  aloneMs?: number;
}

interface Waiting {
  begin: () => void;
}

export class Throttle {
  /** Infinity until the server was busy for the first time. */
  #limit = Infinity;
  #running = 0;
  /** Requests that began before the last halving say nothing about what it has brought. */
  #era = 0;
  #aloneUntil = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<Waiting>();

  /** Requests that may run at once now; Infinity: as many as there are. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /**
   * Runs `work` when it is its turn: first come, first served.
   * @throws what `work` throws, or the stop's reason while it waits.
   */
  async run<T>(work: () => Promise<T>, judge: (outcome: T) => Experience, stopper: Stopper): Promise<T> {
    if (this.#waiting.size > 0 || !this.#hasRoom()) await this.#turn(stopper);
    else this.#running++;
    const era = this.#era;
    let seen: Experience = { busy: false, answered: false };
    try {
      const outcome = await work();
      seen = judge(outcome);
      return outcome;
    } finally {
      this.#learn(seen, era);
      this.#running--;
      this.#admit();
    }
  }

  #learn({ busy, answered, aloneMs = 0 }: Experience, era: number): void {
    if (aloneMs > 0) this.#aloneUntil = Math.max(this.#aloneUntil, performance.now() + aloneMs);
    if (busy && era === this.#era) {
      this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.#running) / 2));
      this.#era++;
    } else if (answered && this.#running >= this.limit) this.#limit += 1 / this.#limit; // a limit that is not reached says nothing
  }

  #hasRoom(now = performance.now()): boolean {
    return this.#running < this.limit && now >= this.#aloneUntil;
  }

  #turn(stopper: Stopper): Promise<void> {
    return new Promise((resolve, reject) => {
      const one: Waiting = {
        begin: () => {
          stopper.idle();
          resolve();
        },
      };
      this.#waiting.add(one);
      stopper.onStop((reason) => {
        this.#waiting.delete(one);
        this.#admit();
        reject(reason);
      });
      this.#admit();
    });
  }

  /** Lets in those for whom there is room, and comes back when the server may be asked again. */
  #admit(): void {
    clearTimeout(this.#timer);
    const now = performance.now(); // read once: were the time to come between two looks, no timer would be set
    for (const one of this.#waiting) {
      if (!this.#hasRoom(now)) break;
      this.#waiting.delete(one);
      this.#running++;
      one.begin();
    }
    const aloneMs = this.#aloneUntil - now;
    if (this.#waiting.size > 0 && aloneMs > 0)
      this.#timer = setTimeout(() => this.#admit(), Math.ceil(aloneMs));
  }
}
