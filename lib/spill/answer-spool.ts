/**
 * Keeps the answers of a job on disk at the places of their points in the runs, and joins them to the rows.
 */
import type { RowAnswers } from '../tables/answers.ts';
import { AnswerLayout, type UnpackedAnswers } from './answer-layout.ts';
import type { PointSpill, RunIndex, RunSlice } from './point-spill.ts';
import type { TemporaryFile } from './temporary-file.ts';

/** The answers of all points of a spill. */
export class AnswerSpool {
  readonly #file: TemporaryFile;
  readonly #spill: PointSpill;
  readonly #layout: AnswerLayout;
  /** The number of points before each run. */
  readonly #before: number[] = [];
  /** For each run, the ends of the slices that are answered. They come in ascending order. */
  readonly #ends: number[][];

  /** @param layout The layout of all answers. */
  constructor(file: TemporaryFile, spill: PointSpill, layout: AnswerLayout) {
    this.#file = file;
    this.#spill = spill;
    this.#layout = layout;
    let points = 0;
    for (const { count } of spill.runs) {
      this.#before.push(points);
      points += count;
    }
    this.#ends = spill.runs.map(() => []);
  }

  /** Writes the answers of slices, one slice after the other. The slices of a run come in ascending order. */
  async write(slices: readonly RunSlice[], answers: RowAnswers): Promise<void> {
    let at = 0;
    for (const { run, from, end } of slices) {
      const packed = this.#layout.pack(answers, at, at + end - from);
      await this.#file.write(packed, (this.#before[run] + from) * this.#layout.width);
      this.#ends[run].push(end);
      at += end - from;
    }
  }

  /**
   * Reads the answers of consecutive rows. They need not be the rows of one batch.
   * @param firstRow The number of the first row.
   * @param sides The number of points of a row.
   */
  async readRows(firstRow: number, rows: number, sides: number): Promise<RowAnswers> {
    const unpacked = this.#layout.createAnswers(rows * sides);
    for (const [run, index] of this.#spill.runs.entries())
      if (index.firstRow < firstRow + rows && firstRow < index.firstRow + index.rows)
        await this.#readRun(run, index, placesOf(index, firstRow, rows), unpacked);
    return unpacked.answers;
  }

  async #readRun(
    run: number,
    { count }: RunIndex,
    placeIn: (place: number) => number,
    unpacked: UnpackedAnswers,
  ): Promise<void> {
    const { width } = this.#layout,
      places = await this.#spill.readPlaces({ run, from: 0, end: count }),
      packed = new Uint8Array(count * width);
    await this.#file.read(packed, this.#before[run] * width);
    let from = 0;
    for (const end of this.#ends[run]) {
      const start = from;
      const part = packed.subarray(start * width, end * width);
      this.#layout.unpack(part, end - start, (point) => placeIn(places[start + point]), unpacked);
      from = end;
    }
    const presets = await this.#spill.readPresets(run);
    for (const volume of [unpacked.answers, ...(unpacked.answers.also ?? [])])
      for (let k = 0; k < presets.places.length; k++) {
        const place = placeIn(presets.places[k]);
        if (place >= 0) volume.status[place] = volume.presetStatus![place] = presets.status[k];
      }
  }
}

/**
 * Returns a function that moves a place in a batch to the place in other rows; -1 if the row is not among
 * them.
 */
function placesOf(
  batch: Pick<RunIndex, 'firstRow' | 'rows'>,
  firstRow: number,
  rows: number,
): (place: number) => number {
  if (batch.firstRow === firstRow && batch.rows === rows) return (place) => place;
  return (place) => {
    const side = Math.floor(place / batch.rows),
      row = (place % batch.rows) + batch.firstRow - firstRow;
    return row >= 0 && row < rows ? side * rows + row : -1;
  };
}
