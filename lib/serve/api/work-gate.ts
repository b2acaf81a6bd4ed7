/** Bounds how much is worked on at once: requests wait in a short queue, and are refused when it is full. */
import { HttpRefusal } from '../http-errors.ts';

/** The bounds. */
export interface GateLimits {
  /** Most requests that are worked on at once. */
  maxRunning: number;
  /** Most requests that wait. */
  maxQueued: number;
  /** Most points of all requests that are worked on; one request alone may have more. */
  maxPoints: number;
}

/** What a request holds while it is worked on. */
export interface Pass {
  /** Tells how many points the request has, if that was only a guess. */
  grow(points: number): void;
  /** Ends the work. May be called twice. */
  leave(): void;
}

interface Waiting {
  points: number;
  resolve: (pass: Pass) => void;
}

const LONGEST_RETRY_S = 60;

/** Lets requests in, in the order of their arrival. */
export class WorkGate {
  readonly #limits: GateLimits;
  readonly #queue: Waiting[] = [];
  #running = 0;
  #points = 0;
  /** How long requests took of late, in ms. */
  #usualMs = 50;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** The number of requests that are worked on. */
  get running(): number {
    return this.#running;
  }

  /** The number of requests that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Lets a request in, at once or when it is its turn.
   * @param points About how many points it has.
   * @returns A pass, or a promise of one.
   * @throws HttpRefusal 429 with `Retry-After` if too many wait already.
   */
  enter(points: number): Pass | { turn: Promise<Pass>; leave: () => void } {
    if (this.#queue.length === 0 && this.#fits(points)) return this.#admit(points);
    if (this.#queue.length >= this.#limits.maxQueued) throw this.#refusal();
    let waiting: Waiting;
    const turn = new Promise<Pass>((resolve) => this.#queue.push((waiting = { points, resolve })));
    return {
      turn,
      leave: () => {
        const index = this.#queue.indexOf(waiting);
        if (index >= 0) this.#queue.splice(index, 1);
        this.#next();
      },
    };
  }

  #refusal(): HttpRefusal {
    const seconds = Math.ceil(
        (this.#usualMs * (this.#queue.length + this.#running)) / this.#limits.maxRunning / 1000,
      ),
      wait = Math.max(1, Math.min(seconds, LONGEST_RETRY_S));
    return new HttpRefusal(
      429,
      `the service works on ${this.#running} requests, and ${this.#queue.length} wait, which is as many as may: ask again in ${wait} s`,
      { 'retry-after': String(wait) },
    );
  }

  #fits(points: number): boolean {
    if (this.#running === 0) return true;
    return this.#running < this.#limits.maxRunning && this.#points + points <= this.#limits.maxPoints;
  }

  #admit(guess: number): Pass {
    const startedAt = performance.now();
    let points = guess,
      isIn = true;
    this.#running++;
    this.#points += points;
    return {
      grow: (found) => {
        if (!isIn || found <= points) return;
        this.#points += found - points;
        points = found;
      },
      leave: () => {
        if (!isIn) return;
        isIn = false;
        this.#running--;
        this.#points -= points;
        this.#usualMs += (performance.now() - startedAt - this.#usualMs) / 16;
        this.#next();
      },
    };
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#fits(this.#queue[0].points)) {
      const { points, resolve } = this.#queue.shift()!;
      resolve(this.#admit(points));
    }
  }
}
