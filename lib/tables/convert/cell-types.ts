/**
 * Finds the types of the columns of a CSV table from all of its cells. A column is numbers only if every
 * number is kept exactly, so that an ID never becomes a double; any other column stays text.
 */
import { isMissing } from '../missing.ts';
import { isSpace } from '../text/decimal.ts';

/** The type of a column of cells. */
export type CellType = 'int64' | 'uint64' | 'float64' | 'boolean' | 'string';

const MINUS = 45,
  ZERO = 48,
  NINE = 57;
/** Any whole number with fewer digits is below 2^53. */
const SAFE_DIGITS = 15;
const MAX_INT64 = 2n ** 63n - 1n,
  MAX_UINT64 = 2n ** 64n - 1n,
  MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const WHOLE = /^-?(?:0|[1-9]\d*)$/;
const DECIMAL = /^([+-]?)(0|[1-9]\d*|(?=\.\d))(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i;

/** Returns whether a text is a number that a double holds to its last digit. */
export function isExactDouble(text: string): boolean {
  const match = DECIMAL.exec(text);
  if (!match) return false;
  const digits = (match[2] + (match[3] ?? '')).replace(/^0+/, '').replace(/0+$/, '');
  const value = Number(text);
  if (digits === '') return true;
  if (!Number.isFinite(value) || Math.abs(value) < 1e-300) return false;
  if (digits.length <= SAFE_DIGITS) return true;
  // numpy.savetxt writes more digits than a double has. They are those of the double.
  const own = value.toPrecision(Math.min(100, digits.length)).replace(/e.*$/i, '').replace(/[-.]/g, '');
  return own.replace(/^0+/, '').replace(/0+$/, '') === digits;
}

/** Returns the number of a text that is infinite or not a number; undefined for any other text. */
export function notFinite(text: string): number | undefined {
  const word = text.toLowerCase();
  if (word === 'nan') return NaN;
  if (word === 'inf' || word === 'infinity' || word === '+inf') return Infinity;
  return word === '-inf' || word === '-infinity' ? -Infinity : undefined;
}

/** Returns the boolean of a text; undefined for any other text. */
export const booleanOf = (text: string): boolean | undefined =>
  text === 'true' || text === 'True' || text === 'TRUE'
    ? true
    : text === 'false' || text === 'False' || text === 'FALSE'
      ? false
      : undefined;

/** What the cells of a column are. */
export class CellTypes {
  #hasTexts = false;
  #hasWhole = false;
  #hasDecimals = false;
  #hasBooleans = false;
  #hasNotFinite = false;
  /** Whether some whole number is above 2^53, above the largest int64, or negative. */
  #isUnsafe = false;
  #isUnsigned = false;
  #isNegative = false;
  /** Whether some cells have no value, if the column holds numbers or booleans. */
  hasNulls = false;

  /** Notes the cell `bytes[start, end)`, without its quotes. */
  note(bytes: Buffer, start: number, end: number): void {
    if (this.#hasTexts) return;
    while (start < end && isSpace(bytes[start])) start++;
    while (end > start && isSpace(bytes[end - 1])) end--;
    if (start === end) {
      this.hasNulls = true;
      return;
    }
    const isNegative = bytes[start] === MINUS,
      first = isNegative ? start + 1 : start,
      digits = end - first;
    if (digits <= SAFE_DIGITS && digits > 0 && (bytes[first] !== ZERO || (digits === 1 && !isNegative))) {
      let at = first;
      while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
      if (at === end) {
        this.#hasWhole = true;
        if (isNegative) this.#isNegative = true;
        return;
      }
    }
    this.#noteText(bytes.toString('utf8', start, end));
  }

  #noteText(text: string): void {
    if (WHOLE.test(text) && text !== '-0') this.#noteLong(text);
    else if (isExactDouble(text)) this.#hasDecimals = true;
    else if (notFinite(text) !== undefined) this.#hasNotFinite = this.hasNulls = true;
    else if (booleanOf(text) !== undefined) this.#hasBooleans = true;
    else if (isMissing(text)) this.hasNulls = true;
    else this.#hasTexts = true;
  }

  #noteLong(text: string): void {
    const value = text.length > 20 ? undefined : BigInt(text);
    if (value === undefined || value > MAX_UINT64 || value < -MAX_INT64 - 1n) {
      this.#hasTexts = true;
      return;
    }
    this.#hasWhole = true;
    if (value < 0n) this.#isNegative = true;
    if (value > MAX_INT64) this.#isUnsigned = true;
    if (value > MAX_SAFE || value < -MAX_SAFE) this.#isUnsafe = true;
  }

  /** The type of the column. */
  get type(): CellType {
    const hasDecimals = this.#hasDecimals || (this.#hasNotFinite && !this.#hasWhole);
    if (this.#hasTexts || (this.#hasBooleans && (this.#hasWhole || hasDecimals || this.#hasNotFinite)))
      return 'string';
    if (this.#hasBooleans) return 'boolean';
    if (hasDecimals) return this.#isUnsafe ? 'string' : 'float64';
    if (!this.#hasWhole || (this.#isUnsigned && this.#isNegative)) return 'string';
    return this.#isUnsigned ? 'uint64' : 'int64';
  }
}
