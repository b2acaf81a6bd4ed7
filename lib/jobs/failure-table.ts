/**
 * Writes the table of the points of a job that need attention: `failures.csv` in the folder of the job, in the
 * order of the rows. Its columns are `row`, `column`, `volume`, `status` and `reason`.
 */
import { toPrintable } from '../base/printable.ts';
import { redactSecrets } from '../base/secret-redaction.ts';
import { PointStatus, statusText } from '../points/status.ts';
import type { RowAnswers } from '../tables/answers.ts';
import type { Batch } from '../tables/table.ts';
import type { DraftFile } from './draft-file.ts';
import { needsAttentionByCode } from './failure-bound.ts';
import { FailureReasons } from './failure-reasons.ts';
import { FAILURES, type JobFolder } from './job-folder.ts';
import type { JobPlan } from './job-plan.ts';
import { ONLY_POINT } from './point-rows.ts';
import type { FailedTasks } from './task-failures.ts';
import type { StoredTask } from './task-store.ts';

const HEADER = 'row,column,volume,status,reason\n';
/** Rows are written to the file in pieces of about this many characters. */
const PIECE_CHARS = 2 ** 16;
const MOST_REASON_CHARS = 2000;
/** The number of reasons that are kept in memory. */
const KEPT_RESTS = 10_000;
/** There are fewer status codes than this. */
const CODES = 256;

/** What is written for a point that has a status and no error of its own. */
const REASONS: Readonly<Record<number, string>> = {
  [PointStatus.failed]: 'the chunk could not be read or decoded',
  [PointStatus.rootFailed]: 'the root request failed',
  [PointStatus.noRoot]: 'the server has no root for the supervoxel at that timestamp',
  [PointStatus.staleSupervoxel]: 'the supervoxel was split, or lies under a root that an edit has replaced',
  [PointStatus.suspect]: 'the ID is not of layer 1 and the graph chunk of its point',
  [PointStatus.invalidPoint]: 'the position is not three finite numbers',
  [PointStatus.invalidTimestamp]: 'the cell does not hold a timestamp',
};

/** The table, as it is written. */
export class FailureTable {
  readonly #plan: JobPlan;
  readonly #tasks: FailedTasks;
  readonly #reasons: FailureReasons;
  readonly #file: DraftFile;
  readonly #needsAttention = needsAttentionByCode();
  /** The cells of the column and the volume of each point of a row, for each volume. */
  readonly #cells: readonly (readonly string[])[];
  /** The last cells of rows, by reason and code. */
  readonly #rests = new Map<number, string>();
  #text = HEADER;
  /** The reasons of the run that was read last. */
  #run: { run: number; numbers: ReadonlyMap<number, Uint32Array> } | undefined;

  private constructor(plan: JobPlan, tasks: FailedTasks, reasons: FailureReasons, file: DraftFile) {
    this.#plan = plan;
    this.#tasks = tasks;
    this.#reasons = reasons;
    this.#file = file;
    const columns = plan.sides.map((side) => (side === ONLY_POINT ? '' : toCell(side)));
    this.#cells = ['', ...plan.also].map((volume) =>
      columns.map((column) => `,${column},${toCell(volume)},`),
    );
  }

  /** Begins the table. @param done All tasks of the job. */
  static async create(
    folder: JobFolder,
    plan: JobPlan,
    tasks: FailedTasks,
    done: readonly StoredTask[],
  ): Promise<FailureTable> {
    const reasons = await FailureReasons.collect(folder.path, done, tasks);
    try {
      return new FailureTable(plan, tasks, reasons, await folder.draft(FAILURES));
    } catch (error) {
      await reasons.close();
      throw error;
    }
  }

  /** Adds the points of consecutive rows. Called in the order of the rows. */
  async add({ firstRow, rows }: Pick<Batch, 'firstRow' | 'rows'>, answers: RowAnswers): Promise<void> {
    const volumes = [answers, ...(answers.also ?? [])].map(({ status }) => status);
    if (!volumes.some((status) => status.some((code) => this.#needsAttention[code] === 1))) return;
    for (let row = 0; row < rows; row++)
      for (let side = 0; side < this.#plan.sides.length; side++)
        for (let volume = 0; volume < volumes.length; volume++) {
          const code = volumes[volume][side * rows + row];
          if (this.#needsAttention[code] === 0) continue;
          const run = this.#runOf(firstRow + row);
          if (this.#run?.run !== run) await this.#readRun(run);
          const number = this.#numberOf(volume, firstRow + row, side);
          const rest = this.#rests.get(number * CODES + code) ?? (await this.#restOf(number, code));
          this.#text += `${firstRow + row}${this.#cells[volume][side]}${rest}`;
          if (this.#text.length >= PIECE_CHARS) await this.#write();
        }
  }

  /** Gives the table its name. */
  async finish(): Promise<void> {
    await this.#write();
    await this.#file.finish();
    await this.#reasons.close();
  }

  /** Leaves the table that was there before. */
  async abandon(): Promise<void> {
    await this.#file.abandon();
    await this.#reasons.close();
  }

  async #write(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    await this.#file.write(Buffer.from(text));
  }

  #runOf(row: number): number {
    const { runs } = this.#plan;
    let run = this.#run?.run ?? 0;
    while (row >= runs[run].firstRow + runs[run].rows) run++;
    return run;
  }

  async #readRun(run: number): Promise<void> {
    const size = this.#plan.runs[run].rows * this.#plan.sides.length;
    this.#run = { run, numbers: await this.#reasons.ofRun(run, size, this.#tasks) };
  }

  /** Returns the number of the reason of a point in the run that was read. */
  #numberOf(volume: number, row: number, side: number): number {
    const { run, numbers } = this.#run!,
      { firstRow, rows } = this.#plan.runs[run];
    return numbers.get(volume)?.[side * rows + row - firstRow] ?? 0;
  }

  /** Returns the last cells of a row. */
  async #restOf(number: number, code: number): Promise<string> {
    const text = (await this.#reasons.textOf(number)) ?? REASONS[code],
      rest = `${statusText(code)},${toCell(toPrintable(redactSecrets(text), MOST_REASON_CHARS))}\n`;
    if (this.#rests.size === KEPT_RESTS) this.#rests.clear();
    this.#rests.set(number * CODES + code, rest);
    return rest;
  }
}

/** Quotes a cell of CSV, if it needs that. */
const toCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
