/**
 * Keeps the answers of tasks, one file per task. A file is there when its task is done, and not before: so
 * several runs, also on several machines, may do tasks of one job.
 */
import { crc32 } from 'node:zlib';
import { open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { JobError } from '../base/errors.ts';
import { AnswerLayout } from '../spill/answer-layout.ts';
import type { RunSlice } from '../spill/point-spill.ts';
import { ioError } from '../tables/files/byte-streams.ts';
import type { RowAnswers } from '../tables/answers.ts';
import { isAbsentFile, type JobFolder, taskFileName, taskOfFile } from './job-folder.ts';
import {
  bodyBytes,
  decodeTaskHeader,
  encodeTaskHeader,
  headerLength,
  TASK_PREFIX_BYTES,
  type TaskFailures,
  type TaskHeader,
  type TaskVolume,
} from './task-file.ts';

/** The answers of slices of a task: one part after the other, if there were too many chunks for one look-up. */
export interface AnsweredSlices {
  slices: readonly RunSlice[];
  answers: RowAnswers;
}

/** What a task found in one volume, and how many failures are in its file. */
export interface StoredVolume extends Omit<TaskVolume, 'failures'> {
  failed: number;
}

/** A task that is done, and where its packed answers begin in its file. Its failures stay in the file. */
export interface StoredTask extends Omit<TaskHeader, 'volumes'> {
  volumes: readonly StoredVolume[];
  bodyOffset: number;
}

/** Where the packed answers of a slice are. */
export interface StoredBlock extends RunSlice {
  task: number;
  offset: number;
  crc: number;
}

/** Headers longer than this are not read. */
const MAX_HEADER_BYTES = 2 ** 29;
/** The number of files that are open at a time. */
const OPEN_FILES = 64;

/** A job that has a folder. */
export interface StartedJob {
  folder: JobFolder;
  /** The ID of the job. */
  job: string;
  /** How often its roots were refreshed: each time its answers are in a folder of their own. @default 0 */
  generation?: number;
}

/** The answers of the tasks of one job. */
export class TaskStore {
  readonly #folder: JobFolder;
  readonly #tasks: string;
  /** Tells the files of this job and generation from others. */
  readonly #job: string;
  /** Open files, the one used last at the end. */
  readonly #open = new Map<number, FileHandle>();

  /** @param generation The number of refreshes before. */
  constructor({ folder, job, generation = 0 }: StartedJob) {
    this.#folder = folder;
    this.#tasks = folder.tasksOf(generation);
    this.#job = generation === 0 ? job : `${job}-${generation}`;
  }

  pathOf(task: number): string {
    return join(this.#tasks, taskFileName(task));
  }

  /** Returns the tasks that have a file, in order. */
  async done(): Promise<number[]> {
    const names = await readdir(this.#tasks).catch((error: unknown) => {
      if (isAbsentFile(error)) return [];
      throw ioError('read', this.#tasks, error);
    });
    return names
      .map(taskOfFile)
      .filter((task) => task !== undefined)
      .sort((a, b) => a - b);
  }

  /** Returns the size of all files. */
  async bytes(): Promise<number> {
    let sum = 0;
    for (const task of await this.done()) sum += (await stat(this.pathOf(task))).size;
    return sum;
  }

  /** Writes the answers of a task, whole or not at all. @throws TableError UNREADABLE. */
  async write(
    header: Omit<TaskHeader, 'job' | 'blocks' | 'crcs' | 'layout'>,
    parts: readonly AnsweredSlices[],
  ): Promise<StoredTask> {
    const layout = AnswerLayout.of(parts[0].answers),
      blocks: RunSlice[] = [],
      packed: Uint8Array[][] = [];
    for (const { slices, answers } of parts) {
      let at = 0;
      for (const slice of slices) {
        blocks.push(slice);
        packed.push(layout.pack(answers, at, at + slice.end - slice.from));
        at += slice.end - slice.from;
      }
    }
    const whole: TaskHeader = {
      ...header,
      job: this.#job,
      blocks,
      crcs: packed.map((pieces) => pieces.reduce((crc, bytes) => crc32(bytes, crc), 0)),
      layout: layout.volumes,
    };
    await this.#forget(header.task);
    const encoded = encodeTaskHeader(whole);
    await this.#folder.writeWhole(this.pathOf(header.task), [encoded, ...packed.flat()]);
    return toStored(whole, encoded.length);
  }

  /**
   * Reads what a task did; undefined if it is not done.
   * @throws JobError JOB_DAMAGED if its file is cut or damaged, as far as its size and header tell.
   */
  async readHeader(task: number): Promise<StoredTask | undefined> {
    const found = await this.#readWhole(task);
    return found && toStored(found.header, found.bodyOffset);
  }

  /**
   * Reads why points of a task have no answer, for each volume.
   * @throws JobError JOB_DAMAGED; TableError UNREADABLE.
   */
  async readFailures(task: number): Promise<TaskFailures[]> {
    const found = await this.#readWhole(task);
    if (!found) throw this.#damaged(task);
    return found.header.volumes.map(({ failures }) => failures);
  }

  async #readWhole(task: number): Promise<{ header: TaskHeader; bodyOffset: number } | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(this.pathOf(task), 'r');
    } catch (error) {
      if (isAbsentFile(error)) return undefined;
      throw ioError('read', this.pathOf(task), error);
    }
    try {
      const { size } = await handle.stat(),
        prefix = await readAt(handle, 0, new Uint8Array(Math.min(size, TASK_PREFIX_BYTES)));
      const length = headerLength(prefix);
      if (length === undefined || length > Math.min(size, MAX_HEADER_BYTES)) throw this.#damaged(task);
      const header = decodeTaskHeader(await readAt(handle, 0, new Uint8Array(length)));
      if (header?.job !== this.#job || header.task !== task || length + bodyBytes(header) !== size)
        throw this.#damaged(task);
      return { header, bodyOffset: length };
    } catch (error) {
      throw error instanceof JobError ? error : ioError('read', this.pathOf(task), error);
    } finally {
      await handle.close();
    }
  }

  /** Returns where the answers of a task are. */
  blocksOf(header: StoredTask): StoredBlock[] {
    const { width } = new AnswerLayout(header.layout);
    let offset = header.bodyOffset;
    return header.blocks.map((block, k) => {
      const stored = { ...block, task: header.task, offset, crc: header.crcs[k] };
      offset += (block.end - block.from) * width;
      return stored;
    });
  }

  /**
   * Reads the packed answers of a block.
   * @param target Memory for them.
   * @throws JobError JOB_DAMAGED; TableError UNREADABLE.
   */
  async readBlock(
    { task, offset, crc, from, end }: StoredBlock,
    width: number,
    target = new Uint8Array((end - from) * width),
  ): Promise<Uint8Array> {
    const packed = await this.#read(task, offset, target.subarray(0, (end - from) * width));
    if (packed.length !== (end - from) * width || crc32(packed) !== crc) throw this.#damaged(task);
    return packed;
  }

  /** Deletes the answers of a task, so that it is done again. */
  async remove(task: number): Promise<void> {
    await this.#forget(task);
    await rm(this.pathOf(task), { force: true });
  }

  async close(): Promise<void> {
    const handles = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(handles.map((handle) => handle.close().catch(() => undefined)));
  }

  async #read(task: number, offset: number, target: Uint8Array): Promise<Uint8Array> {
    try {
      let handle = this.#open.get(task);
      this.#open.delete(task);
      handle ??= await open(this.pathOf(task), 'r');
      this.#open.set(task, handle);
      const [oldest] = this.#open.keys();
      if (this.#open.size > OPEN_FILES) await this.#forget(oldest);
      return await readAt(handle, offset, target);
    } catch (error) {
      throw ioError('read', this.pathOf(task), error);
    }
  }

  async #forget(task: number): Promise<void> {
    const handle = this.#open.get(task);
    this.#open.delete(task);
    await handle?.close();
  }

  #damaged(task: number): JobError {
    return new JobError(
      'JOB_DAMAGED',
      `${this.pathOf(task)} is damaged: delete it, and graphene-points job resume ${this.#folder.path} does its task again`,
    );
  }
}

const toStored = ({ volumes, ...header }: TaskHeader, bodyOffset: number): StoredTask => ({
  ...header,
  volumes: volumes.map(({ failures, ...volume }) => ({ ...volume, failed: failures.points.length })),
  bodyOffset,
});

/** Fills an array with the bytes from an offset on: less of it if the file ends before. */
async function readAt(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<Uint8Array> {
  const { length } = bytes;
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
