/** Reads points and IDs from the fields of delimited text, and describes fields that cannot be read. */
import { PointStatus } from '../../points/status.ts';
import { isMissing } from '../missing.ts';
import type { PointColumns } from '../table.ts';
import {
  isBlank,
  isMissingPosition,
  parseDecimal,
  parseId,
  parsePosition,
  positionParts,
} from './decimal.ts';
import type { Fields } from './fields.ts';

const QUOTE = 34,
  DOT = 46,
  COMMA = 44;

/** Reads one point per row: from one field with all three coordinates, or from three fields. */
export class PointFieldReader {
  readonly #names: PointColumns;
  readonly #fields: readonly number[];
  /** The decimal mark: the byte of `.` or of `,`. */
  readonly #mark: number;

  constructor(names: PointColumns, fields: readonly number[], decimalComma: boolean) {
    this.#names = names;
    this.#fields = fields;
    this.#mark = decimalComma ? COMMA : DOT;
  }

  /** Reads the point into `out[at..at + 2]`. @returns Whether the row has a point that can be read. */
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

  /** Returns the texts of the three coordinates of a point that was read. */
  textsOf(row: Fields): string[] {
    return this.#fields.length === 1
      ? positionParts(row.text(this.#fields[0]))
      : this.#fields.map((field) => row.text(field));
  }

  /** Returns whether the fields of a point that cannot be read mark it as missing. */
  isMissing(row: Fields): boolean {
    return this.#fields.length === 1
      ? isMissingPosition(row.text(this.#fields[0]))
      : this.#fields.every((field) => isMissing(row.text(field)));
  }

  /** Describes a point that cannot be read and is not missing. */
  describeInvalid(row: Fields): string {
    if (this.#fields.length === 1)
      return `column ${this.#names[0]}${row.describe(this.#fields[0], 'not [x, y, z]')}`;
    const axis = this.#fields.findIndex((field) => {
      const [from, to] = row.unquoted(field);
      return Number.isNaN(parseDecimal(row.bytes, from, to, this.#mark));
    });
    const field = this.#fields[axis];
    return `column ${this.#names[axis]}${row.describe(field, this.#whyNotNumber(row.text(field).trim()))}`;
  }

  #whyNotNumber(text: string): string {
    if (this.#mark === DOT && /^[+-]?[\d.]*,\d+$/.test(text))
      return 'not a number with a decimal point: decimal (--decimal ,) reads decimal commas';
    return this.#mark === COMMA && /^[+-]?[\d,]*\.\d+$/.test(text)
      ? 'not a number with a decimal comma, which decimal (--decimal ,) expects'
      : 'not a number';
  }
}

/** Reads one ID per row. */
export class IdFieldReader {
  readonly #name: string;
  readonly #field: number;

  constructor(name: string, field: number) {
    this.#name = name;
    this.#field = field;
  }

  /**
   * Reads the ID into `words[2 * at]` and `words[2 * at + 1]`.
   *
   * @returns 0, or the status of a missing or invalid ID.
   */
  read(row: Fields, words: Uint32Array, at: number): number {
    const [from, to] = row.unquoted(this.#field);
    const isId = parseId(row.bytes, from, to, words, 2 * at);
    if (isId && (words[2 * at] !== 0 || words[2 * at + 1] !== 0 || !isBlank(row.bytes, from, to))) return 0;
    return isId || isMissing(row.text(this.#field)) ? PointStatus.notLookedUp : PointStatus.invalidId;
  }

  /** Describes an ID that cannot be read. */
  describeInvalid(row: Fields): string {
    return `column ${this.#name}${row.describe(this.#field, 'not a uint64 ID')}`;
  }
}
