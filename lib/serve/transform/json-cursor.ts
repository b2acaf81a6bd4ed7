/**
 * Walks through JSON from its first byte to its last, without making objects of it. Depth and the length of names
 * are limited; nothing is kept. Pure.
 * Source: RFC 8259; NaN, Infinity and -Infinity as Python's json module reads and writes them.
 */
import type { PausableWork } from '../../base/cooperative-work.ts';
import { toPrintable } from '../../base/printable.ts';
import { isSpace, parseDecimal } from '../../tables/text/decimal.ts';
import { SchemaRefusal } from './transform-error.ts';

const QUOTE = 34,
  COMMA = 44,
  MINUS = 45,
  ZERO = 48,
  NINE = 57,
  COLON = 58,
  BACKSLASH = 92;

/** The brackets of lists and objects. */
const BRACKETS = { list: [91, 93], object: [123, 125] } as const;

/** Levels of brackets in a member that is skipped. */
const MAX_DEPTH = 64;
/** Bytes of the name of a member. */
const MAX_NAME = 256;
/** Bytes of a string that is skipped. */
const MAX_STRING = 2 ** 16;
/** Bytes of a number: digits beyond some hundreds cannot change it. */
const MAX_NUMBER = 1024;
/** Blanks between two values or marks. */
const MAX_BLANKS = 2 ** 16;
/** Bytes between two pauses. */
const STRETCH = 2 ** 16;

/** The numbers that are words. */
const WORDS: readonly (readonly [Buffer, number])[] = [
  [Buffer.from('NaN'), NaN],
  [Buffer.from('Infinity'), Infinity],
  [Buffer.from('-Infinity'), -Infinity],
];
const PLAIN_WORDS = ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity'].map((word) =>
  Buffer.from(word),
);

/** A place in JSON text, which only moves forward. */
export class JsonCursor {
  /** The number that `readNumber` has read. */
  value = NaN;
  #at = 0;
  #pausedAt = 0;

  constructor(readonly bytes: Buffer) {}

  /** Tells whether so much was read since the last pause that the reader should pause. */
  isPauseDue(): boolean {
    if (this.#at - this.#pausedAt < STRETCH) return false;
    this.#pausedAt = this.#at;
    return true;
  }

  /** Passes the bracket that begins a list or an object. @returns Whether it is there. */
  begins(kind: keyof typeof BRACKETS): boolean {
    return this.#passes(BRACKETS[kind][0]);
  }

  /**
   * Passes what comes before the next item, or the bracket after the last.
   * @returns Whether there is an item.
   */
  hasItem(kind: keyof typeof BRACKETS, isFirst: boolean): boolean {
    if (this.#passes(BRACKETS[kind][1])) return false;
    if (!isFirst && !this.#passes(COMMA)) throw this.fault(`expected , or the end of the ${kind}`);
    return true;
  }

  /** Passes the name of a member and its colon. */
  readName(): string {
    if (!this.#passes(QUOTE)) throw this.fault('expected the name of a member in double quotes');
    const start = this.#at,
      end = this.#endOfString(MAX_NAME);
    this.#at = end + 1;
    if (!this.#passes(COLON)) throw this.fault('expected : after the name of a member');
    return this.bytes.toString('utf8', start, end);
  }

  /** Passes a number into `value`. @returns Whether there is one; if not, the cursor stays. */
  readNumber(): boolean {
    this.#skipSpaces();
    const { bytes } = this,
      start = this.#at;
    let end = start,
      isPlain = true;
    for (; end < bytes.length && isOfNumber(bytes[end]); end++) if (bytes[end] > NINE) isPlain = false;
    if (end - start > MAX_NUMBER || !isNumberAt(bytes, start, end)) return this.#readWord();
    this.value = parseDecimal(bytes, start, end);
    if (!isPlain || Number.isNaN(this.value)) {
      const text = bytes.toString('latin1', start, end);
      if (!JSON_NUMBER.test(text)) return false;
      this.value = Number(text);
    }
    this.#at = end;
    return true;
  }

  /** Passes one value of any kind. */
  *skip(): PausableWork {
    let depth = 0;
    const open: (keyof typeof BRACKETS)[] = [];
    let isFirst = true;
    for (;;) {
      if (this.isPauseDue()) yield;
      const inside = open[depth - 1] as keyof typeof BRACKETS | undefined;
      if (inside !== undefined) {
        if (!this.hasItem(inside, isFirst)) {
          depth--;
          open.pop();
          if (depth === 0) return;
          isFirst = false;
          continue;
        }
        if (inside === 'object') this.readName();
      }
      const kind = this.begins('list') ? 'list' : this.begins('object') ? 'object' : undefined;
      if (kind) {
        if (++depth > MAX_DEPTH) throw this.fault(`more than ${MAX_DEPTH} brackets are open`);
        open.push(kind);
        isFirst = true;
        continue;
      }
      this.#skipScalar();
      if (depth === 0) return;
      isFirst = false;
    }
  }

  /** Checks that nothing but blanks follows. */
  end(): void {
    this.#skipSpaces();
    if (this.#at < this.bytes.length) throw this.fault('expected the end of the body');
  }

  /** Returns the error for JSON that breaks its syntax here. */
  fault(expected: string): SchemaRefusal {
    const found = toPrintable(this.bytes.toString('utf8', this.#at, this.#at + 40), 20);
    return new SchemaRefusal(
      ['body', this.#at],
      `not JSON: ${expected} at byte ${this.#at}, found ${found === '' ? 'the end' : JSON.stringify(found)}`,
      'value_error.jsondecode',
    );
  }

  /** Passes a string, a number or a word. */
  #skipScalar(): void {
    if (this.#passes(QUOTE)) this.#at = this.#endOfString(MAX_STRING) + 1;
    else if (!this.readNumber() && !this.#readPlainWord()) throw this.fault('expected a value');
  }

  /** Returns where the quote is that ends the string here. */
  #endOfString(maxBytes: number): number {
    const start = this.#at;
    let end = start - 1;
    do end = this.bytes.indexOf(QUOTE, end + 1);
    while (end >= 0 && end - start <= maxBytes && this.#isEscaped(start, end));
    if (end < 0 || end - start > maxBytes)
      throw this.fault(`expected the end of a string within ${maxBytes} bytes`);
    return end;
  }

  /** Tells whether an odd number of backslashes stands before `end`. */
  #isEscaped(start: number, end: number): boolean {
    let at = end;
    while (at > start && this.bytes[at - 1] === BACKSLASH) at--;
    return (end - at) % 2 === 1;
  }

  #readWord(): boolean {
    for (const [word, value] of WORDS)
      if (this.#passesWord(word)) {
        this.value = value;
        return true;
      }
    return false;
  }

  #readPlainWord(): boolean {
    return PLAIN_WORDS.some((word) => this.#passesWord(word));
  }

  #passesWord(word: Buffer): boolean {
    if (
      this.bytes.compare(
        word,
        0,
        word.length,
        this.#at,
        Math.min(this.bytes.length, this.#at + word.length),
      ) !== 0
    )
      return false;
    this.#at += word.length;
    return true;
  }

  #passes(mark: number): boolean {
    this.#skipSpaces();
    if (this.bytes[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #skipSpaces(): void {
    const end = this.#at + MAX_BLANKS;
    while (isSpace(this.bytes[this.#at]))
      if (++this.#at > end) throw this.fault(`expected at most ${MAX_BLANKS} blanks together`);
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Tells whether a byte may stand in a number: a digit, a sign, a point or an exponent. */
const isOfNumber = (c: number): boolean =>
  (c >= ZERO && c <= NINE) || c === 46 || c === MINUS || c === 43 || c === 101 || c === 69;

/** Tells whether bytes begin and end as a number of JSON does; the rest is for the parser. */
function isNumberAt(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start] === MINUS ? start + 1 : start,
    isDigit = (at: number): boolean => at < end && bytes[at] >= ZERO && bytes[at] <= NINE;
  return isDigit(first) && isDigit(end - 1) && !(bytes[first] === ZERO && isDigit(first + 1));
}
