/** The answers of a task that is done, in memory, so that some of them can be replaced. */
import { AnswerLayout, type UnpackedAnswers } from '../spill/answer-layout.ts';
import type { RunSlice } from '../spill/point-spill.ts';
import { countPoints } from '../spill/windows.ts';
import type { RowAnswers } from '../tables/answers.ts';
import { countCodes } from './job-counts.ts';
import type { TaskVolume } from './task-file.ts';
import type { StoredTask, TaskStore } from './task-store.ts';

/** All answers of one task, in the order of its points. */
export class TaskAnswers {
  readonly task: StoredTask;
  readonly #layout: AnswerLayout;
  readonly #unpacked: UnpackedAnswers;

  private constructor(task: StoredTask, layout: AnswerLayout, unpacked: UnpackedAnswers) {
    this.task = task;
    this.#layout = layout;
    this.#unpacked = unpacked;
  }

  /** Reads the answers of a task. @throws JobError JOB_DAMAGED; TableError UNREADABLE. */
  static async read(store: TaskStore, task: StoredTask): Promise<TaskAnswers> {
    const layout = new AnswerLayout(task.layout),
      unpacked = layout.createAnswers(countPoints(task.blocks));
    let before = 0;
    for (const block of store.blocksOf(task)) {
      const count = block.end - block.from,
        start = before;
      const places = Uint32Array.from({ length: count }, (_, k) => start + k);
      layout.unpack(await store.readBlock(block, layout.width), places, unpacked);
      before += count;
    }
    return new TaskAnswers(task, layout, unpacked);
  }

  /** The slices of the points. */
  get slices(): readonly RunSlice[] {
    return this.task.blocks;
  }

  /** The answers of each volume: the main volume, then the others. */
  get volumes(): readonly RowAnswers[] {
    const { answers } = this.#unpacked;
    return [answers, ...(answers.also ?? [])];
  }

  /**
   * Replaces answers of one volume.
   * @param points The places of the answers in the task.
   * @returns Whether they have the same columns. If not, nothing is replaced.
   */
  replace(volume: number, answers: RowAnswers, points: Uint32Array): boolean {
    return this.#layout.replace(volume, answers, points, this.#unpacked);
  }

  /** Counts the points of a volume by status code. A status that did not occur is left out. */
  countsOf(volume: number): TaskVolume['counts'] {
    const counts = new Float64Array(256);
    countCodes(this.volumes[volume].status, counts);
    return Array.from(counts.entries()).filter(([, count]) => count > 0);
  }

  /** Writes the answers as those of the task, whole or not at all. @throws TableError UNREADABLE. */
  write(
    store: TaskStore,
    {
      volumes,
      ...header
    }: Pick<StoredTask, 'task' | 'timestamps' | 'seconds' | 'attempt'> & {
      volumes: readonly Omit<TaskVolume, 'counts'>[];
    },
  ): Promise<StoredTask> {
    return store.write(
      { ...header, volumes: volumes.map((volume, k) => ({ ...volume, counts: this.countsOf(k) })) },
      [{ slices: this.slices, answers: this.#unpacked.answers }],
    );
  }
}
