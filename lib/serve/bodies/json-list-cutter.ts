/**
 * Cuts a long JSON list into pieces between its items, so that each piece is parsed alone and a body of any length
 * needs little memory. The items hold numbers, lists and texts without backslashes.
 */
import { HttpRefusal } from '../http-errors.ts';

const QUOTE = 34,
  COMMA = 44,
  OPEN = 91,
  BACKSLASH = 92,
  CLOSE = 93;
/** A piece is parsed as soon as it has this many bytes. */
const PIECE_BYTES = 2 ** 16;
/** The most bytes between two commas of the list. */
const MAX_ITEM = 2 ** 16;

/** Cuts the list of a body that begins with it. */
export class JsonListCutter {
  #pending: Buffer = Buffer.alloc(0);
  /** Memory with room behind `#pending`, which begins in it at `#from`; undefined if `#pending` is the caller's. */
  #store: Buffer | undefined;
  #from = 0;
  /** How many bytes of `#pending` have been looked at. */
  #seen = 0;
  #depth = 1;
  #isText = false;
  /** Where the last comma of the list is in `#pending`; -1 if there is none. */
  #comma = -1;
  /** Whether a comma came before `#pending`. */
  #lastWasComma = false;
  #hasEnded = false;
  #tail = '';

  /**
   * Returns where the items begin, if a body begins as `{"name": [` does.
   * @param head The first bytes, 256 or more unless the body is shorter.
   */
  static startOf(head: Buffer, name: string): number | undefined {
    return new RegExp(`^\\s{0,64}\\{\\s{0,64}"${name}"\\s{0,64}:\\s{0,64}\\[`).exec(
      head.toString('latin1', 0, 256),
    )?.[0].length;
  }

  /** Takes more bytes. @returns The text of whole items with commas between; undefined if more bytes are needed. */
  push(bytes: Buffer): string | undefined {
    if (this.#hasEnded) {
      this.#addTail(bytes);
      return undefined;
    }
    this.#append(bytes);
    this.#scan();
    if (this.#hasEnded) return this.#takeLast();
    if (this.#seen - this.#comma > MAX_ITEM && this.#pending.length > MAX_ITEM)
      throw new HttpRefusal(400, `the body has an item of more than ${MAX_ITEM} bytes`);
    if (this.#comma < PIECE_BYTES) return undefined;
    const text = this.#pending.toString('utf8', 0, this.#comma);
    if (text.trim() === '')
      throw new HttpRefusal(400, 'the body is not JSON: its list has a comma without an item');
    this.#pending = this.#pending.subarray(this.#comma + 1);
    this.#from += this.#comma + 1;
    this.#seen -= this.#comma + 1;
    this.#comma = -1;
    this.#lastWasComma = true;
    return text;
  }

  /** Checks the end of the body. @throws HttpRefusal 400. */
  finish(): void {
    if (!this.#hasEnded) throw new HttpRefusal(400, 'the body is not JSON: it ends inside the list');
    if (!/^\s*\}\s*$/.test(this.#tail))
      throw new HttpRefusal(400, 'the body must have the list as its only member, and end after it');
  }

  /** Adds bytes to those that are pending. Tiny parts are copied once or twice each, not with all before them. */
  #append(bytes: Buffer): void {
    const { length } = this.#pending,
      total = length + bytes.length;
    if (length === 0) {
      this.#pending = bytes;
      this.#store = undefined;
      return;
    }
    if (!this.#store || this.#from + total > this.#store.length) {
      this.#store = Buffer.allocUnsafe(2 * total);
      this.#store.set(this.#pending);
      this.#from = 0;
    }
    this.#store.set(bytes, this.#from + length);
    this.#pending = this.#store.subarray(this.#from, this.#from + total);
  }

  #takeLast(): string | undefined {
    const end = this.#seen - 1,
      text = this.#pending.toString('utf8', 0, end);
    this.#addTail(this.#pending.subarray(end + 1));
    this.#pending = Buffer.alloc(0);
    if (text.trim() !== '') return text;
    if (this.#lastWasComma) throw new HttpRefusal(400, 'the body is not JSON: its list ends with a comma');
    return undefined;
  }

  #addTail(bytes: Buffer): void {
    if (this.#tail.length + bytes.length > 1024)
      throw new HttpRefusal(400, 'the body must have the list as its only member, and end after it');
    this.#tail += bytes.toString('latin1');
  }

  #scan(): void {
    const bytes = this.#pending;
    let at = this.#seen,
      depth = this.#depth,
      isText = this.#isText;
    for (; at < bytes.length && depth > 0; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) isText = !isText;
      else if (isText) {
        if (byte === BACKSLASH)
          throw new HttpRefusal(400, 'the body has a text with a backslash, where IDs are expected');
      } else if (byte === OPEN) depth++;
      else if (byte === CLOSE) depth--;
      else if (byte === COMMA && depth === 1) this.#comma = at;
    }
    this.#seen = at;
    this.#depth = depth;
    this.#isText = isText;
    this.#hasEnded = depth === 0;
  }
}
