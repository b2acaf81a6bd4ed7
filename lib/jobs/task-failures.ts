/** Collects why points of a task have no answer, and reports failures by row. */
import { PointStatus, statusText } from '../points/status.ts';
import type { PointSpill } from '../spill/point-spill.ts';
import type { TableSource } from '../tables/table.ts';
import { FailureLog } from './failure-log.ts';
import { messageWithCauses } from './messages.ts';
import type { LookupAnswers } from './point-lookup.ts';
import { MAX_WARNINGS } from './row-warnings.ts';
import type { TaskFailures } from './task-file.ts';
import type { StoredTask, TaskStore } from './task-store.ts';

/** The failures of one task in one volume, as they are collected. */
export class FailureCollector {
  readonly #points: number[] = [];
  readonly #reasons: number[] = [];
  readonly #codes: number[] = [];
  readonly #texts = new Map<string, { message: string; text: string; index: number }>();

  /** Adds the failures of answers. @param pointOf Returns the place of an answer in the task. */
  add({ status, errors }: LookupAnswers, pointOf: (index: number) => number): void {
    if (!status.includes(PointStatus.failed) && !status.includes(PointStatus.rootFailed)) return;
    for (const { index, error } of errors()) {
      if (!error) continue;
      this.#points.push(pointOf(index));
      this.#codes.push(status[index]);
      this.#reasons.push(this.#reasonOf(error));
    }
  }

  #reasonOf(error: Error): number {
    const text = messageWithCauses(error),
      key = `${error.message}\0${text}`;
    let known = this.#texts.get(key);
    if (!known) {
      known = { message: error.message, text, index: this.#texts.size };
      this.#texts.set(key, known);
    }
    return known.index;
  }

  /** Returns all failures, in the order of their points. */
  failures(): TaskFailures {
    // The errors of roots come after those of points.
    const order = Uint32Array.from(this.#points, (_, k) => k).sort(
      (a, b) => this.#points[a] - this.#points[b],
    );
    return {
      points: Uint32Array.from(order, (k) => this.#points[k]),
      reasons: Uint32Array.from(order, (k) => this.#reasons[k]),
      codes: Uint8Array.from(order, (k) => this.#codes[k]),
      texts: Array.from(this.#texts.values(), ({ message, text }) => ({ message, text })),
    };
  }
}

/** A point without an answer. */
export interface FailedPoint {
  /** The main volume is 0. */
  volume: number;
  run: number;
  /** The place of the point in its run: side * rows + row. */
  place: number;
  code: number;
  message: string;
  text: string;
}

/** The tasks of a job whose points are placed, and where their failures are. */
export interface FailedTasks {
  spill: PointSpill;
  store: Pick<TaskStore, 'readFailures'>;
}

/** Yields the failed points of a task, volume after volume. */
export async function* failedPoints(
  { task, blocks, volumes }: StoredTask,
  { spill, store }: FailedTasks,
): AsyncGenerator<FailedPoint> {
  if (volumes.every(({ failed }) => failed === 0)) return;
  for (const [volume, failures] of (await store.readFailures(task)).entries()) {
    const { points, reasons, codes, texts } = failures;
    let block = 0,
      before = 0,
      places: Uint32Array | undefined;
    for (const [k, point] of points.entries()) {
      while (block < blocks.length && point >= before + blocks[block].end - blocks[block].from) {
        before += blocks[block].end - blocks[block].from;
        block++;
        places = undefined;
      }
      if (block === blocks.length) return;
      places ??= await spill.readPlaces(blocks[block]);
      yield {
        volume,
        run: blocks[block].run,
        place: places[point - before],
        code: codes[k],
        ...texts[reasons[k]],
      };
    }
  }
}

/** What the warnings about failures need to know of the table. */
export interface FailedTable extends Pick<TableSource, 'rowName'> {
  sides: readonly string[];
  /** Put before the messages about each volume. */
  prefixes: readonly string[];
}

/** Warns about failed points, in the order of the rows: for each batch the first with different reasons. */
export async function warnOfFailedPoints(
  tasks: readonly StoredTask[],
  found: FailedTasks,
  { sides, prefixes, rowName = (row) => `row ${row}` }: FailedTable,
  warn: (message: string) => void,
): Promise<void> {
  const logs = prefixes.map(() => new FailureLog());
  for (const stored of tasks)
    for await (const { volume, run, place, code, message, text } of failedPoints(stored, found))
      logs[volume].add(run, place, message, () => `${statusText(code)}: ${text}`);
  for (const [run, { firstRow, rows }] of found.spill.runs.entries())
    for (const [k, prefix] of prefixes.entries()) {
      const failures = logs[k].of(run);
      for (const { place, text } of failures) {
        const side = sides.length > 1 ? ` (${sides[Math.floor(place / rows)]})` : '';
        warn(`${prefix}${rowName(firstRow + (place % rows))}${side}: ${text}`);
      }
      if (failures.length === MAX_WARNINGS) warn(`${prefix}there may be more failures`);
    }
}
