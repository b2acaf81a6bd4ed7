/**
 * The folder of a job: where its files are, and how they are written so that a killed run leaves each file
 * whole, or not at all.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { JobError, TableError } from '../base/errors.ts';
import { ioError } from '../tables/files/byte-streams.ts';
import { lockOutput } from '../tables/files/output-lock.ts';
import { DRAFT_SUFFIX, DraftFile } from './draft-file.ts';

/** A folder that holds a job, or will. */
export class JobFolder {
  /** The absolute path. */
  readonly path: string;
  /** Whether each file is flushed to the disk before it counts. */
  readonly flushes: boolean;

  /** @param flushes Without it, a crash of the machine may damage files, which are then found damaged. */
  constructor(path: string, { flushes = true }: { flushes?: boolean } = {}) {
    this.path = resolve(path);
    this.flushes = flushes;
  }

  /** Makes the folder of a new job. @throws JobError JOB_EXISTS; TableError UNREADABLE. */
  static async create(path: string): Promise<JobFolder> {
    const folder = new JobFolder(path);
    await folder.#try('written', () => mkdir(folder.path, { recursive: true, mode: 0o700 }));
    const found = await folder.#try('read', () => readdir(folder.path));
    if (found.includes(MANIFEST))
      throw new JobError(
        'JOB_EXISTS',
        `${path} already holds a job: graphene-points job resume ${path} goes on with it`,
      );
    // A run that was killed while it copied its inputs has left these.
    const left = found.filter((name) => name !== INPUT && name !== LOCK && !name.endsWith(DRAFT_SUFFIX));
    if (left.length === 0) await rm(folder.copies, { recursive: true, force: true });
    else throw new JobError('JOB_EXISTS', `${path} is not empty: name a new folder for the job`);
    return folder;
  }

  /** Makes the folder of a job that is deleted when it is done. @throws TableError UNREADABLE. */
  static async createTemporary(parent: string): Promise<JobFolder> {
    const start = join(parent, 'graphene-points-job-');
    const path = await mkdtemp(start).catch((error: unknown) => {
      throw ioError('written', start, error);
    });
    return new JobFolder(path, { flushes: false });
  }

  /** The sorted points. */
  get points(): string {
    return join(this.path, 'points');
  }

  /** The folder of the inputs that were copied because they can be read once only. */
  get copies(): string {
    return join(this.path, INPUT);
  }

  /** The folder of the answers of the tasks. */
  get tasks(): string {
    return this.tasksOf(0);
  }

  /** The folder of the answers of the tasks after some refreshes. */
  tasksOf(generation: number): string {
    return join(this.path, generation === 0 ? 'tasks' : `tasks-${generation}`);
  }

  /** Writes a small file, whole or not at all. @throws TableError UNREADABLE. */
  writeText(name: string, text: string): Promise<void> {
    return this.writeWhole(join(this.path, name), [Buffer.from(text)]);
  }

  /** Reads a small file; undefined if there is none. @throws TableError UNREADABLE. */
  async readText(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.path, name), 'utf8');
    } catch (error) {
      if (isAbsentFile(error)) return undefined;
      throw ioError('read', join(this.path, name), error);
    }
  }

  /** Writes a file under another name, and renames it when it is complete. @throws TableError UNREADABLE. */
  async writeWhole(path: string, parts: readonly Uint8Array[]): Promise<void> {
    const draft = await DraftFile.create(path, this.flushes);
    for (const part of parts) await draft.write(part);
    await draft.finish();
  }

  /** Begins a file that is there when it is finished, whole. @throws TableError UNREADABLE. */
  draft(name: string): Promise<DraftFile> {
    return DraftFile.create(join(this.path, name), this.flushes);
  }

  /**
   * Keeps other runs of the whole job away.
   * @returns A function that lets them in again.
   * @throws TableError IN_USE; UNREADABLE.
   */
  async lock(warn?: (message: string) => void): Promise<() => void> {
    try {
      return await lockOutput(join(this.path, 'job'), { displayName: `the job ${this.path}`, warn });
    } catch (error) {
      throw error instanceof TableError ? error : ioError('written', join(this.path, LOCK), error);
    }
  }

  /** Marks the job as cancelled: its runs stop before their next task. */
  cancel(): Promise<void> {
    return this.writeText(CANCELLED, `${new Date().toISOString()}\n`);
  }

  /** Returns whether the job was cancelled. */
  isCancelled(): Promise<boolean> {
    return this.has(CANCELLED);
  }

  /** Returns whether a file is there. */
  async has(name: string): Promise<boolean> {
    return (await stat(join(this.path, name)).catch(() => undefined)) !== undefined;
  }

  /** @throws JobError JOB_CANCELLED. */
  async refuseCancelled(): Promise<void> {
    if (await this.isCancelled()) throw new JobError('JOB_CANCELLED', `the job ${this.path} was cancelled`);
  }

  /** Whether the folder has what a run would have to do again: a plan, or a copy of what can be read only once. */
  async isWorthResuming(): Promise<boolean> {
    return (await this.has(PLAN)) || (await this.has(INPUT));
  }

  /** Makes the folder of the tasks. */
  async prepareTasks(generation = 0): Promise<void> {
    await this.#try('written', () => mkdir(this.tasksOf(generation), { recursive: true, mode: 0o700 }));
  }

  /** Deletes the answers of all other generations. */
  async removeTasksExcept(generation: number | undefined): Promise<void> {
    for (const name of await readdir(this.path).catch(() => [])) {
      const path = join(this.path, name);
      if (/^tasks(-\d+)?$/.test(name) && (generation === undefined || path !== this.tasksOf(generation)))
        await rm(path, { recursive: true, force: true });
    }
  }

  /** Makes the folder of the records of runs. */
  async prepareRecords(): Promise<void> {
    await this.#try('written', () => mkdir(this.records, { recursive: true, mode: 0o700 }));
  }

  /** The folder of the records of runs. */
  get records(): string {
    return join(this.path, 'runs');
  }

  /** Deletes the points, the answers, and what was copied of the inputs. The manifest stays. */
  async removeData(): Promise<void> {
    for (const file of [this.points, join(this.path, FAILURES)]) await rm(file, { force: true });
    await this.removeTasksExcept(undefined);
    await rm(this.copies, { recursive: true, force: true });
  }

  /** Deletes unfinished files that killed runs of the whole job left. Called by the run that holds the lock. */
  async removeDrafts(): Promise<void> {
    for (const name of await readdir(this.path).catch(() => []))
      if (name.endsWith(DRAFT_SUFFIX)) await rm(join(this.path, name), { force: true });
  }

  /** Deletes the folder. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async #try<T>(what: 'read' | 'written', step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      throw ioError(what, this.path, error);
    }
  }
}

/** The file that says what the job is, and the file that says how it is cut into tasks. */
export const MANIFEST = 'manifest.json',
  PLAN = 'plan.json',
  /** The file that says that the output is written. */
  FINISHED = 'finished.json',
  /** The table of the points that need attention. */
  FAILURES = 'failures.csv',
  /** The report for people. */
  REPORT = 'report.html';
const CANCELLED = 'cancelled',
  INPUT = 'input',
  LOCK = 'job.lock';

/** Whether a file does not exist. */
export const isAbsentFile = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Returns the name of the file of a task. */
export const taskFileName = (task: number): string => `${String(task).padStart(6, '0')}.answers`;

/** Returns the number of the task of a file; undefined for other files. */
export const taskOfFile = (path: string): number | undefined => {
  const [, digits] = /^(\d{6,})\.answers$/.exec(basename(path)) ?? [];
  return digits === undefined ? undefined : Number(digits);
};
