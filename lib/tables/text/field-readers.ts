/** Points and IDs out of the fields of delimited text, and why there is none. */
import { PointStatus } from '../../points/status.ts';
import { isMissing } from '../missing.ts';
import type { PointColumns } from '../table.ts';
import { isBlank, isMissingPosition, parseDecimal, parseId, parsePosition } from './decimal.ts';
import type { Fields } from './fields.ts';

const QUOTE = 34,
  POINT = 46,
  COMMA = 44;

/** Reads one point a row: from one field that holds all three coordinates, or from three. */
export class PointFieldReader {
  readonly #names: PointColumns;
  readonly #fields: readonly number[];
  /** Before decimals. */
  readonly #mark: number;

  constructor(names: PointColumns, fields: readonly number[], decimalComma: boolean) {
    this.#names = names;
    this.#fields = fields;
    this.#mark = decimalComma ? COMMA : POINT;
  }

  /** @returns whether there is one, written to `out[at..at + 2]`. */
  read(row: Fields, out: Float64Array, at: number): boolean {
    if (this.#fields.length === 3) return this.#readAxes(row, out, at);
    const [from, to] = row.unquoted(this.#fields[0]);
    return parsePosition(row.bytes, from, to, out, at);
  }

  #readAxes(row: Fields, out: Float64Array, at: number): boolean {
    const { bytes } = row;
    for (let axis = 0; axis < 3; axis++) {
      const field = this.#fields[axis],
        start = row.start(field),
        quoted = bytes[start] === QUOTE ? 1 : 0;
      const number = parseDecimal(bytes, start + quoted, row.end(field) - quoted, this.#mark);
      if (Number.isNaN(number)) return false;
      out[at + axis] = number;
    }
    return true;
  }

  /** Whether the fields of a point that was not read say that there is none. */
  isMissing(row: Fields): boolean {
    return this.#fields.length === 1
      ? isMissingPosition(row.text(this.#fields[0]))
      : this.#fields.every((field) => isMissing(row.text(field)));
  }

  /** What is wrong with a point that was not read and is not missing. */
  describeInvalid(row: Fields): string {
    if (this.#fields.length === 1)
      return `column ${this.#names[0]}${row.describe(this.#fields[0], 'no [x, y, z]')}`;
    const axis = this.#fields.findIndex((field) => {
      const [from, to] = row.unquoted(field);
      return Number.isNaN(parseDecimal(row.bytes, from, to, this.#mark));
    });
    const field = this.#fields[axis];
    return `column ${this.#names[axis]}${row.describe(field, this.#whyNoNumber(row.text(field).trim()))}`;
  }

  #whyNoNumber(text: string): string {
    if (this.#mark === POINT && /^[+-]?[\d.]*,\d+$/.test(text))
      return 'no number with a decimal point: --decimal , reads decimal commas';
    return this.#mark === COMMA && /^[+-]?[\d,]*\.\d+$/.test(text)
      ? 'no number with a decimal comma, which --decimal , is for'
      : 'no number';
  }
}

/** Reads one ID a row. */
export class IdFieldReader {
  readonly #name: string;
  readonly #field: number;

  constructor(name: string, field: number) {
    this.#name = name;
    this.#field = field;
  }

  /** Writes the ID to `words[2 * at]` and the word after. @returns 0, or the status that says why there is none. */
  read(row: Fields, words: Uint32Array, at: number): number {
    const [from, to] = row.unquoted(this.#field);
    const isId = parseId(row.bytes, from, to, words, 2 * at);
    if (isId && (words[2 * at] !== 0 || words[2 * at + 1] !== 0 || !isBlank(row.bytes, from, to))) return 0;
    return isId || isMissing(row.text(this.#field)) ? PointStatus.notLookedUp : PointStatus.invalidId;
  }

  /** What is wrong with an ID that cannot be read. */
  describeInvalid(row: Fields): string {
    return `column ${this.#name}${row.describe(this.#field, 'no uint64 ID')}`;
  }
}
