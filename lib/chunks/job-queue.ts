/** A queue of jobs with a limited number of workers. */
import type { CooperativeRunner } from '../base/cooperative-work.ts';

/** Runs jobs in the order they were added. */
export class JobQueue<Job> {
  readonly #limit: { readonly limit: number };
  readonly #runner: CooperativeRunner;
  readonly #run: (job: Job) => Promise<void> | undefined;
  /** Workers that are running. A running worker always finds a job that is added. */
  #workers = 0;
  #waiting: Job[] = [];
  #next = 0;

  /**
   * @param limit Holds the most jobs that run at once. If it changes, `wake` carries that out.
   * @param run Runs a job. Must not throw or reject. Returns undefined if there was nothing to do.
   */
  constructor(
    limit: { readonly limit: number },
    runner: CooperativeRunner,
    run: (job: Job) => Promise<void> | undefined,
  ) {
    this.#limit = limit;
    this.#runner = runner;
    this.#run = run;
  }

  /**
   * Adds a job. Jobs start in this order, the first after the current tick, so that all calls of the tick
   * share reads.
   */
  add(job: Job): void {
    this.#waiting.push(job);
    if (this.#workers < this.#limit.limit) this.#startWorker();
  }

  /** How many jobs wait. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** Starts as many more workers as the limit now allows and the waiting jobs need. */
  wake(): void {
    const more = Math.min(this.#limit.limit - this.#workers, this.waiting);
    for (let k = 0; k < more; k++) this.#startWorker();
  }

  #startWorker(): void {
    this.#workers++;
    queueMicrotask(this.#work);
  }

  /**
   * Runs jobs until the queue is empty. Ends in the same turn, so that the next `add` starts a new worker.
   */
  readonly #work = (): void => {
    for (let job = this.#take(); job; job = this.#take()) {
      const running = this.#run(job);
      if (running) return void running.then(this.#afterJob);
      if (this.#mustPause()) return void this.#runner.pause().then(this.#afterPause);
      if (this.#workers > this.#limit.limit) break; // the limit has fallen; other workers go on
    }
    this.#workers--;
  };

  readonly #afterJob = (): void => {
    if (this.#mustPause()) void this.#runner.pause().then(this.#afterPause);
    else this.#afterPause();
  };

  readonly #afterPause = (): void => {
    if (this.#workers > this.#limit.limit) this.#workers--;
    else this.#work();
  };

  #mustPause(): boolean {
    return this.#next < this.#waiting.length && this.#runner.isDue();
  }

  #take(): Job | undefined {
    if (this.#next === this.#waiting.length) return undefined;
    const job = this.#waiting[this.#next++];
    // Drops finished jobs when they are half of the list: under steady load, the queue may never be empty.
    if (this.#next * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return job;
  }
}
