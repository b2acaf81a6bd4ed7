/** Joins the answers of the tasks to the rows of the table, in their order. */
import { JobError, TableError } from '../base/errors.ts';
import { AnswerLayout, NO_PLACE, type UnpackedAnswers } from '../spill/answer-layout.ts';
import type { PointSpill, RunIndex } from '../spill/point-spill.ts';
import type { RowAnswers } from '../tables/answers.ts';
import type { Batch, TableSink, TableSource } from '../tables/table.ts';
import type { JobProgress } from './job-progress.ts';
import { runPipeline } from './pipeline.ts';
import type { StoredBlock, StoredTask, TaskStore } from './task-store.ts';

/** The answers of all rows of a job. */
export class AnswerJoin {
  readonly #spill: PointSpill;
  readonly #store: TaskStore;
  readonly #layout: AnswerLayout;
  /** The answers of each run. */
  readonly #blocks: readonly StoredBlock[][];
  readonly #verifies: boolean;

  /**
   * @param tasks All tasks of the job.
   * @param verifies Whether the points are checked: another run has written them.
   * @throws JobError JOB_DAMAGED if the tasks do not answer every point once.
   */
  constructor(spill: PointSpill, store: TaskStore, tasks: readonly StoredTask[], verifies: boolean) {
    this.#spill = spill;
    this.#store = store;
    this.#verifies = verifies;
    this.#layout = new AnswerLayout(tasks[0].layout);
    this.#blocks = spill.runs.map(() => []);
    const layout = JSON.stringify(tasks[0].layout);
    for (const task of tasks) {
      if (JSON.stringify(task.layout) !== layout)
        throw new JobError(
          'JOB_DAMAGED',
          `${store.pathOf(task.task)} has other columns than ${store.pathOf(tasks[0].task)}: the volume has changed, or one of them is damaged`,
        );
      for (const block of store.blocksOf(task)) this.#blocks[block.run]?.push(block);
    }
    for (const [run, blocks] of this.#blocks.entries()) {
      let end = 0;
      for (const block of blocks.sort((a, b) => a.from - b.from)) {
        if (block.from !== end) throw this.#incomplete(run);
        end = block.end;
      }
      if (end !== spill.runs[run].count) throw this.#incomplete(run);
    }
  }

  /**
   * Reads the answers of consecutive rows. They need not be the rows of one batch.
   * @param firstRow The number of the first row.
   * @param sides The number of points of a row.
   * @throws JobError JOB_DAMAGED; TableError UNREADABLE.
   */
  async readRows(firstRow: number, rows: number, sides: number): Promise<RowAnswers> {
    const unpacked = this.#layout.createAnswers(rows * sides);
    for (const [run, index] of this.#spill.runs.entries())
      if (index.firstRow < firstRow + rows && firstRow < index.firstRow + index.rows)
        await this.#readRun(run, index, { firstRow, rows }, unpacked);
    return unpacked.answers;
  }

  async #readRun(run: number, index: RunIndex, rows: RowRange, unpacked: UnpackedAnswers): Promise<void> {
    if (this.#verifies && !(await this.#spill.isIntact(run)))
      throw new JobError('JOB_DAMAGED', 'the points of the job are damaged: run it again in a new folder');
    const places = await this.#spill.readPlaces({ run, from: 0, end: index.count });
    movePlaces(places, index, rows);
    const { width } = this.#layout,
      largest = this.#blocks[run].reduce((most, { from, end }) => Math.max(most, end - from), 0),
      memory = new Uint8Array(largest * width);
    for (const block of this.#blocks[run]) {
      const packed = await this.#store.readBlock(block, width, memory);
      this.#layout.unpack(packed, places.subarray(block.from, block.end), unpacked);
    }
    const presets = await this.#spill.readPresets(run);
    movePlaces(presets.places, index, rows);
    for (const volume of [unpacked.answers, ...(unpacked.answers.also ?? [])])
      for (let k = 0; k < presets.places.length; k++) {
        const place = presets.places[k];
        if (place !== NO_PLACE) volume.status[place] = volume.presetStatus![place] = presets.status[k];
      }
  }

  #incomplete(run: number): JobError {
    const { firstRow } = this.#spill.runs[run];
    return new JobError('JOB_DAMAGED', `the tasks do not answer every point from row ${firstRow} on once`);
  }
}

/** Consecutive rows of a table. */
type RowRange = Pick<RunIndex, 'firstRow' | 'rows'>;

/** Moves places in a batch to those in other rows; {@link NO_PLACE} if the row is not among them. */
function movePlaces(places: Uint32Array, batch: RowRange, { firstRow, rows }: RowRange): void {
  if (batch.firstRow === firstRow && batch.rows === rows) return;
  for (let k = 0; k < places.length; k++) {
    const side = Math.floor(places[k] / batch.rows),
      row = (places[k] % batch.rows) + batch.firstRow - firstRow;
    places[k] = row >= 0 && row < rows ? side * rows + row : NO_PLACE;
  }
}

/**
 * Writes all rows of a table with their answers. The caller closes the source.
 * @param rows The number of rows that the table had when its points were read.
 * @throws TableError UNREADABLE if it has other rows now.
 */
export async function joinRows<B extends Batch>(
  { source, sink }: { source: TableSource<B>; sink: TableSink<B> },
  rows: number,
  answersOf: (batch: B) => Promise<RowAnswers>,
  { signal, progress }: { signal?: AbortSignal; progress?: JobProgress },
): Promise<void> {
  let written = 0;
  const requireRows = (isSame: boolean): void => {
    if (!isSame)
      throw new TableError('UNREADABLE', 'the table has changed while it was read: run the command again');
  };
  await runPipeline(
    {
      batches: source.batches(),
      lookUp: async (batch) => {
        if (batch.readError) throw batch.readError.error;
        requireRows(batch.firstRow === written + 1 && written + batch.rows <= rows);
        written += batch.rows;
        return answersOf(batch);
      },
      async write(batch, answers) {
        await sink.write(batch, answers);
        const done = batch.firstRow - 1 + batch.rows;
        progress?.report('writing', done, rows > 0 ? done / rows : undefined);
      },
    },
    signal,
  );
  requireRows(written === rows);
  await sink.finish();
}
