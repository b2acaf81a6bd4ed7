/**
 * Cuts a stream of bytes into rows and keeps every byte. A row ends with LF, CR LF, a single CR, or the end
 * of the table. Quotes follow RFC 4180, section 2, as Python's csv module reads it: a quote opens only at the
 * start of a field, and the text after a closing quote is part of the field.
 */
import { TableError } from '../../base/errors.ts';

/**
 * Complete rows: row k is `bytes[ends[k - 1], ends[k])`, and row 0 starts at `start`. Blank lines belong to
 * the row after them.
 */
export interface RowBlock {
  bytes: Buffer;
  /** The start of row 0: 3 after a byte order mark, otherwise 0. */
  start: number;
  ends: Uint32Array;
  /** The line of the table at which `bytes` starts, counted from 1. */
  firstLine: number;
  /** With several files: the file of the rows, and the number of rows of the table before it. */
  file?: { name: string; rowsBefore: number };
  // Bytes after the last row (in the last block only) are blank lines.
}

/** Rows as spans of bytes. */
export type RowSpans = Iterable<{ bytes: Buffer; start: number; end: number }>;

/** How a stream is cut into rows. */
export interface RowRules {
  /** The byte between fields. With it, quotes may contain line ends; without it, each line is a row. */
  delimiter?: number;
  /** The number of the first row in messages: 0 for a header. */
  firstRowNumber: number;
  /** The maximum length of a row; a longer row is probably a quote that is never closed. @default 16 MiB */
  maxRowBytes?: number;
  /** The minimum number of bytes processed together (3 or more). @default 64 KiB */
  blockBytes?: number;
}

const BLANK = 0,
  FIELD_START = 1,
  PLAIN = 2,
  QUOTED = 3,
  CLOSED = 4;
const LF = 10,
  CR = 13,
  QUOTE = 34;
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * Cuts a stream into blocks of rows.
 *
 * @throws TableError BAD_ROW (a quote that is never closed), BAD_FORMAT (UTF-16).
 */
export async function* readRows(
  source: AsyncIterable<Uint8Array>,
  rules: RowRules,
): AsyncGenerator<RowBlock> {
  const { delimiter = -1, firstRowNumber, maxRowBytes = 2 ** 24, blockBytes = 2 ** 16 } = rules;
  const delimited = delimiter >= 0;
  let pending: Buffer = Buffer.alloc(0); // the start of an incomplete row
  let scanned = 0;
  let state = BLANK;
  let rows = 0;
  let line = 1; // at the start of `pending`
  let lineEnds = 0; // in `pending[0, scanned)`
  let opened = false;
  let start = 0;

  const unclosed = (why: string): TableError =>
    new TableError(
      'BAD_ROW',
      `row ${firstRowNumber + rows} (line ${line + leadingLines(pending, start)}): ${why}`,
    );

  for await (const chunk of gather(source, blockBytes)) {
    pending = pending.length ? Buffer.concat([pending, chunk]) : chunk;
    if (!opened) {
      opened = true;
      start = scanned = pending.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
      if ((pending[0] === 0xff && pending[1] === 0xfe) || (pending[0] === 0xfe && pending[1] === 0xff))
        throw new TableError('BAD_FORMAT', 'the table is UTF-16: save it as UTF-8');
    }
    const ends: number[] = [];
    let linesAtLastEnd = 0;
    let stop = pending.length;
    if (stop > scanned && pending[stop - 1] === CR) stop--; // the next byte shows whether it belongs to a CR LF
    const unseen = pending.subarray(scanned, stop);
    // Without quotes and CR, a row ends at the next LF. `indexOf` finds it many times faster than a loop over
    // the bytes.
    const isSimple = state !== QUOTED && !unseen.includes(CR) && !(delimited && unseen.includes(QUOTE));
    for (let at = scanned; at < stop; at++) {
      let c = pending[at];
      if (isSimple && c !== LF && (state !== BLANK || delimited || (c !== 32 && c !== 9))) {
        at = pending.indexOf(LF, at);
        if (at < 0) {
          state = pending[stop - 1] === delimiter ? FIELD_START : PLAIN;
          break;
        }
        state = PLAIN;
        c = LF;
      }
      if (c === CR) {
        if (pending[at + 1] === LF) continue;
        c = LF;
      }
      if (c === LF) lineEnds++;
      if (state === QUOTED) {
        if (c === QUOTE) state = CLOSED;
      } else if (c === QUOTE && delimited && state !== PLAIN)
        state = QUOTED; // opens a field, or is the second of a doubled quote
      else if (c === LF) {
        if (state === BLANK) continue;
        state = BLANK;
        ends.push(at + 1);
        linesAtLastEnd = lineEnds;
      } else if (c === delimiter) state = FIELD_START;
      else if (state !== BLANK || delimited || (c !== 32 && c !== 9)) state = PLAIN;
    }
    scanned = stop;
    if (ends.length > 0) {
      const end = ends[ends.length - 1];
      yield { bytes: pending.subarray(0, end), start, ends: Uint32Array.from(ends), firstLine: line };
      rows += ends.length;
      line += linesAtLastEnd;
      lineEnds -= linesAtLastEnd;
      pending = pending.subarray(end);
      scanned -= end;
      start = 0;
    }
    if (pending.length > maxRowBytes)
      throw unclosed(`longer than ${maxRowBytes} bytes${state === QUOTED ? ': is a quote not closed?' : ''}`);
  }
  if (state === QUOTED) throw unclosed('a quote is opened and never closed');
  if (pending.length > 0)
    yield {
      bytes: pending,
      start,
      ends: Uint32Array.from(state === BLANK ? [] : [pending.length]),
      firstLine: line,
    };
}

/** Joins the parts of a stream to pieces of at least `leastBytes`; only the last piece may be shorter. */
async function* gather(source: AsyncIterable<Uint8Array>, leastBytes: number): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of source) {
    parts.push(part);
    length += part.length;
    if (length < leastBytes) continue;
    yield join(parts);
    parts = [];
    length = 0;
  }
  if (length > 0) yield join(parts);
}

const join = (parts: Uint8Array[]): Buffer =>
  parts.length === 1
    ? Buffer.from(parts[0].buffer, parts[0].byteOffset, parts[0].length)
    : Buffer.concat(parts);

/** Returns whether a line ends at a byte: an LF, the LF of a CR LF, or a single CR. */
const endsLine = (bytes: Buffer, at: number): boolean =>
  bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] !== LF);

/** Counts the blank lines at the start of a row. */
function leadingLines(bytes: Buffer, start: number): number {
  let lines = 0;
  for (let at = start; bytes[at] === LF || bytes[at] === CR; at++) if (endsLine(bytes, at)) lines++;
  return lines;
}

/** Returns where the line end of a row starts: LF, CR LF or CR. The last row of a table may have none. */
export function contentEnd(bytes: Buffer, start: number, end: number): number {
  if (end > start && bytes[end - 1] === LF) end--;
  else return end > start && bytes[end - 1] === CR ? end - 1 : end;
  return end > start && bytes[end - 1] === CR ? end - 1 : end;
}

/** Returns the line of row `index` of a block, counted from 1. */
export function lineOf(block: RowBlock, index: number): number {
  const { bytes, firstLine } = block,
    from = rowStart(block, index);
  let line = firstLine;
  for (let at = 0; at < from; at++) if (endsLine(bytes, at)) line++;
  return line + leadingLines(bytes, from);
}

/** Returns where row `index` of a block starts. */
export const rowStart = ({ start, ends }: RowBlock, index: number): number =>
  index === 0 ? start : ends[index - 1];

/** Yields the rows of some blocks. */
export function* rowsOf(
  blocks: readonly RowBlock[],
): Generator<{ bytes: Buffer; start: number; end: number }> {
  for (const { bytes, start, ends } of blocks) {
    let from = start;
    for (const end of ends) {
      yield { bytes, start: from, end };
      from = end;
    }
  }
}
