/** Collects points row by row, with the other columns of each row. */
import { toPrintable } from '../../lib/base/printable.ts';
import { type PastedPoints, requireRoom } from './pasted-points.ts';

/** Rows that a note names. */
const NAMED = 5;

export class PointRows {
  readonly #coordinates: number[] = [];
  readonly #columns: { name: string; values: string[] }[];
  readonly #unreadable: string[] = [];
  #unreadableCount = 0;

  constructor(columns: readonly string[] = []) {
    this.#columns = columns.map((name) => ({ name, values: [] }));
  }

  /** @throws PasteError if there are too many. */
  add(position: readonly number[], others: readonly string[] = []): void {
    for (let axis = 0; axis < 3; axis++) this.#coordinates.push(position[axis]);
    for (const [k, { values }] of this.#columns.entries()) values.push(others[k] ?? '');
    requireRoom(this.#coordinates.length / 3);
  }

  /** Adds a row that has no position, so that the answers stay beside their rows. */
  addUnreadable(where: string, text: string, others?: readonly string[]): void {
    if (this.#unreadable.length < NAMED)
      this.#unreadable.push(`${where}: ${toPrintable(text, 40) || 'empty'}`);
    this.#unreadableCount++;
    this.add([NaN, NaN, NaN], others);
  }

  get count(): number {
    return this.#coordinates.length / 3;
  }

  finish(form: PastedPoints['form']): PastedPoints {
    const { count } = this,
      bad = this.#unreadableCount;
    const more = bad > this.#unreadable.length ? '; …' : '';
    const notes =
      bad > 0
        ? [
            `${bad.toLocaleString('en')} of ${count.toLocaleString('en')} rows have no position of three numbers: ${this.#unreadable.join('; ')}${more}`,
          ]
        : [];
    return { form, coordinates: Float64Array.from(this.#coordinates), columns: this.#columns, notes };
  }
}
