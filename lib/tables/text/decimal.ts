/**
 * Reads decimal numbers, IDs and positions from the bytes of a table, without making a string for the usual
 * spellings.
 */
import { isMissing } from '../missing.ts';

const POWERS = Array.from({ length: 16 }, (_, n) => 10 ** n);
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Returns whether a byte is a blank. */
export const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

/** Returns whether `bytes[start, end)` holds only blanks. */
export function isBlank(bytes: Buffer, start: number, end: number): boolean {
  while (start < end && isSpace(bytes[start])) start++;
  return start === end;
}

/**
 * Reads the number in `bytes[start, end)`; surrounding blanks are allowed. Returns NaN for anything but a
 * finite decimal number.
 *
 * @param mark The byte before the decimals: a point or a comma.
 */
export function parseDecimal(bytes: Buffer, start: number, end: number, mark = 46): number {
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  let at = start;
  const negative = bytes[at] === 45;
  if (negative || bytes[at] === 43) at++;
  let digits = 0;
  let decimals = -1; // digits after the point; -1 before it
  let value = 0;
  for (; at < end; at++) {
    const c = bytes[at];
    if (c >= 48 && c <= 57) {
      value = value * 10 + (c - 48);
      digits++;
      if (decimals >= 0) decimals++;
    } else if (c === mark && decimals < 0) decimals = 0;
    else break;
  }
  // Up to 15 digits, the digits and the power of ten are exact doubles, so that one division rounds
  // correctly.
  if (at === end && digits > 0 && digits <= 15) {
    if (decimals > 0) value /= POWERS[decimals];
    return negative ? -value : value;
  }
  let text = bytes.toString('latin1', start, end);
  if (mark !== 46) text = text.includes('.') ? '' : text.replace(String.fromCharCode(mark), '.');
  const number = DECIMAL.test(text) ? Number(text) : NaN;
  return Number.isFinite(number) ? number : NaN;
}

/**
 * Reads the uint64 in `bytes[start, end)` into `out[at]` (low word) and `out[at + 1]`; surrounding blanks are
 * allowed. An empty text gives 0.
 *
 * @returns Whether the text is a uint64: only digits, below 2^64. A number with a point or an exponent has
 *   already lost digits.
 */
export function parseId(bytes: Buffer, start: number, end: number, out: Uint32Array, at: number): boolean {
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  let low = 0,
    high = 0;
  out[at] = out[at + 1] = 0;
  for (; start < end; start++) {
    const digit = bytes[start] - 48;
    if (!(digit >= 0 && digit <= 9)) return false;
    low = low * 10 + digit;
    high = high * 10 + Math.floor(low / 4294967296);
    low %= 4294967296;
    if (high > 0xffffffff) return false;
  }
  out[at] = low;
  out[at + 1] = high;
  return true;
}

const OPEN = [91, 40]; // [ (
const CLOSE = [93, 41]; // ] )

/**
 * Reads the three numbers of one cell into `out[at..at + 2]`. The cell is `[x, y, z]`, `(x, y, z)`, `[x y z]`
 * as pandas writes it, or the same without brackets. The forms that NumPy 2 prints are read, too:
 * `[np.int64(1), …]` and `array([1, …])`.
 *
 * @returns Whether the cell has such a form and all three numbers are finite.
 */
export function parsePosition(
  bytes: Buffer,
  start: number,
  end: number,
  out: Float64Array,
  at: number,
): boolean {
  if (parseTriple(bytes, start, end, out, at)) return true;
  if (end - start > MAX_NUMPY_BYTES) return false;
  const shown = bytes.toString('latin1', start, end);
  const bare = withoutNumpy(shown);
  return bare !== shown && parseTriple(Buffer.from(bare, 'latin1'), 0, bare.length, out, at);
}

/**
 * Returns whether a cell marks a missing position: a marker, or three markers in place of the numbers, such
 * as `[nan nan nan]`.
 */
export function isMissingPosition(cell: string): boolean {
  if (isMissing(cell)) return true;
  if (cell.length > MAX_NUMPY_BYTES) return false;
  const inside = /^\s*(?:\[(.*)\]|\((.*)\)|([^[(].*))\s*$/s.exec(withoutNumpy(cell));
  const text = inside
    ?.slice(1)
    .find((part) => part !== undefined)
    ?.trim();
  if (!text) return false;
  const parts = text.includes(',') ? text.split(',') : text.split(/\s+/);
  return parts.length === 3 && parts.every((part) => part.trim() !== '' && isMissing(part));
}

/** Returns whether a number is written as a whole number: without a decimal mark and an exponent. */
export const isWrittenWhole = (text: string | undefined): boolean => /^\s*[+-]?\d+\s*$/.test(text ?? '');

/** Returns the texts of the numbers of a cell that `parsePosition` can read. */
export const positionParts = (cell: string): string[] => withoutNumpy(cell).match(/[^\s,[\]()"]+/g) ?? [];

const withoutNumpy = (shown: string): string => shown.replace(NUMPY_ARRAY, '$1').replace(NUMPY_NUMBER, '$1');

const MAX_NUMPY_BYTES = 400;
const NUMPY_ARRAY = /^\s*(?:np\.|numpy\.)?array\((\[[^\]]*\])(?:,\s*dtype=[\w.'<>=]+)?\)\s*$/;
const NUMPY_NUMBER = /\b(?:np\.|numpy\.)(?:u?int|float)\d+\(([^(),]*)\)/g;

function parseTriple(bytes: Buffer, start: number, end: number, out: Float64Array, at: number): boolean {
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  const bracket = OPEN.indexOf(bytes[start]);
  if (end - start >= 2 && bracket >= 0) {
    if (bytes[end - 1] !== CLOSE[bracket]) return false;
    start++;
    end--;
  }
  const commas = bytes.subarray(start, end).includes(44);
  for (let axis = 0; axis < 3; axis++) {
    while (start < end && isSpace(bytes[start])) start++;
    let stop = start;
    while (stop < end && (commas ? bytes[stop] !== 44 : !isSpace(bytes[stop]))) stop++;
    const number = parseDecimal(bytes, start, stop);
    if (Number.isNaN(number)) return false;
    out[at + axis] = number;
    if (commas && axis < 2 && stop === end) return false;
    start = commas && axis < 2 ? stop + 1 : stop;
  }
  while (start < end && isSpace(bytes[start])) start++;
  return start === end;
}
