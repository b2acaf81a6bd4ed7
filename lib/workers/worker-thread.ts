/** One worker thread, as the main thread sees it: its commands in flight, its start and its end. */
import { Worker } from 'node:worker_threads';
import type { DecodeError } from '../base/errors.ts';
import { registeredSecrets, secretsVersion } from '../base/secret-redaction.ts';
import type { Answer, Command, ReadyMessage, WorkerSetup } from './worker-messages.ts';

/** A command in flight. */
export interface Job {
  readonly command: Exclude<Command, { kind: 'cancel' | 'keep' | 'closeIdle' | 'secrets' }>;
  /** How many threads died while they did the work of this command. */
  readonly deaths?: number;
  /** Called with the answer, and the thread that gave it. */
  readonly onAnswer: (answer: Answer, thread: WorkerThread) => void;
  /** The job for one chunk, if the command is for several: `id` is the number of its command. */
  readonly jobOf?: (id: number) => Job;
  /** No thread will do the job. Without an error, the main thread may do it. */
  readonly onLost: (error: DecodeError | undefined) => void;
}

/**
 * Why a job was lost: its thread `died` during the work of this job, was ended because the work had `hung`,
 * or ended for a reason that is not in this job (`other`).
 */
export type LostReason = 'died' | 'hung' | 'other';

/** What a {@link WorkerThread} tells its pool. */
export interface ThreadEvents {
  /** The thread can take commands. */
  readonly onReady: () => void;
  /** The thread has ended, or could not start. */
  readonly onEnd: (error: Error | undefined) => void;
  /** Called for each job that was in flight when the thread ended. */
  readonly onJobLost: (job: Job, why: LostReason) => void;
}

/** Arguments of Node that a thread must not get: it would run the program that they give. */
const PROGRAM_ARGUMENTS = /^(-e|--eval|-p|--print|--input-type|--test|--watch)/;

/** Memory of a thread for new objects. Node's default takes 15 MB more, and is no faster. */
const YOUNG_MB = 4;

/** Runs one thread. */
export class WorkerThread {
  /** Resolves when the thread is no more. */
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  readonly #jobs = new Map<number, Job>();
  readonly #current = new Int32Array(new SharedArrayBuffer(4));
  #outgoing: Command[] = [];
  #hasEnded = false;
  #secretsVersion = 0;
  /** The work of the last check, and in how many checks in a row it was seen. */
  #seen = { id: 0, checks: 0 };

  /**
   * @param file The path of the worker's program.
   * @param maxIdle Most connections that carry no request.
   */
  constructor(file: string, maxIdle: number, events: ThreadEvents) {
    this.#events = events;
    this.#worker = new Worker(file, {
      name: 'graphene-points',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      workerData: { current: this.#current, maxIdle } satisfies WorkerSetup,
      ...(process.execArgv.some((argument) => PROGRAM_ARGUMENTS.test(argument)) && { execArgv: [] }),
    });
    // A thread without jobs does not keep the process alive.
    this.#worker.unref();
    this.#worker.on('message', (message: ReadyMessage | readonly Answer[]) => this.#receive(message));
    this.#worker.on('error', (error) => this.#end('died', error));
    this.#worker.on('messageerror', (error) => this.#end('died', error));
    this.exited = new Promise((resolve) =>
      this.#worker.on('exit', () => {
        this.#end();
        resolve();
      }),
    );
  }

  /** Number of jobs in flight. */
  get load(): number {
    return this.#jobs.size;
  }

  /** For how many milliseconds the thread has been busy. */
  get busyMs(): number {
    return this.#worker.performance.eventLoopUtilization().active;
  }

  /** Returns in how many calls in a row the thread was at work on the same chunk. */
  checksOfCurrentWork(): number {
    const id = Atomics.load(this.#current, 0);
    this.#seen = { id, checks: id !== 0 && id === this.#seen.id ? this.#seen.checks + 1 : 0 };
    return this.#seen.checks;
  }

  send(job: Job): void {
    const { id } = job.command;
    // A version that the thread finds in a reply is stored only if it contains no secret.
    if (job.command.kind === 'fetch' && 'saves' in job.command.work) this.#shareSecrets();
    if (this.#jobs.size === 0) this.#worker.ref();
    this.#jobs.set(id, job);
    this.#queue(job.command);
  }

  /** Asks for the body of a reply. */
  keep(id: number): void {
    if (this.#jobs.has(id)) this.#queue({ kind: 'keep', id });
  }

  /** Tells the thread the secrets that are registered, if it does not know them. */
  #shareSecrets(): void {
    const version = secretsVersion();
    if (version === this.#secretsVersion) return;
    this.#secretsVersion = version;
    this.#queue({ kind: 'secrets', id: 0, secrets: registeredSecrets() });
  }

  /** Closes the connections that carry no request. */
  closeIdle(): void {
    this.#queue({ kind: 'closeIdle', id: 0 });
  }

  /** Forgets a job. The thread ends it if it has not begun the work on the body. */
  cancel(id: number): void {
    if (!this.#jobs.has(id)) return;
    this.#forget(id);
    this.#queue({ kind: 'cancel', id });
  }

  /** Gives up what is to be saved. A chunk that is not in the disk cache is only read again. */
  giveUpSaves(): void {
    for (const [id, job] of [...this.#jobs])
      if (job.command.kind === 'save') {
        this.#forget(id);
        job.onLost(undefined);
      }
  }

  /** Ends the thread. */
  terminate(why: 'hung' | 'other' = 'other'): void {
    this.#end(why);
  }

  /** Sends all commands of one turn together. */
  #queue(command: Command): void {
    if (this.#outgoing.push(command) > 1) return;
    queueMicrotask(() => {
      const commands = this.#outgoing;
      this.#outgoing = [];
      if (!this.#hasEnded) this.#worker.postMessage(commands);
    });
  }

  #receive(message: ReadyMessage | readonly Answer[]): void {
    if ('kind' in message) return this.#events.onReady();
    for (const answer of message) {
      const job = this.#jobs.get(answer.id);
      if (!job) continue; // it was cancelled
      this.#forget(answer.id);
      job.onAnswer(answer, this);
    }
  }

  #forget(id: number): void {
    this.#jobs.delete(id);
    if (this.#jobs.size === 0) this.#worker.unref();
  }

  #end(why: LostReason = 'died', error?: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    void this.#worker.terminate();
    const current = Atomics.load(this.#current, 0),
      jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    this.#events.onEnd(error);
    for (const job of jobs) {
      const { command } = job,
        count = command.kind === 'works' ? command.works.length : 1,
        isAtWork = current >= command.id && current < command.id + count;
      this.#events.onJobLost(isAtWork ? (job.jobOf?.(current) ?? job) : job, isAtWork ? why : 'other');
    }
  }
}
