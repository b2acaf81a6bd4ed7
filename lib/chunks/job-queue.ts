/** Jobs that wait in line, and the workers that do them. */
import type { CooperativeRunner } from '../base/cooperative-work.ts';

export class JobQueue<Job> {
  readonly #concurrency: number;
  readonly #pacer: CooperativeRunner;
  readonly #run: (job: Job) => Promise<void> | undefined;
  /** Workers that have not found the line empty: none of them misses a job that is added. */
  #workers = 0;
  #waiting: Job[] = [];
  #next = 0;

  /**
   * @param concurrency Jobs that are done at once.
   * @param run Does a job. Must not throw or reject. Undefined: there was nothing to do.
   */
  constructor(concurrency: number, pacer: CooperativeRunner, run: (job: Job) => Promise<void> | undefined) {
    this.#concurrency = concurrency;
    this.#pacer = pacer;
    this.#run = run;
  }

  /** Jobs begin in the order they were added, the first when all calls of this tick have said what they want: they share reads. */
  add(job: Job): void {
    this.#waiting.push(job);
    if (this.#workers === this.#concurrency) return;
    this.#workers++;
    queueMicrotask(() => void this.#work());
  }

  /** Never rejects. It stops counting in the very turn in which it finds nothing: whoever adds a job from then on starts another. */
  async #work(): Promise<void> {
    for (let job = this.#take(); job; job = this.#take()) {
      const running = this.#run(job);
      if (running) await running;
      if (this.#next < this.#waiting.length && this.#pacer.isDue()) await this.#pacer.pause();
    }
    this.#workers--;
  }

  #take(): Job | undefined {
    if (this.#next === this.#waiting.length) return undefined;
    const job = this.#waiting[this.#next++];
    // Jobs that were taken go by halves: under a steady stream of calls the line may never run empty.
    if (this.#next * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return job;
  }
}
