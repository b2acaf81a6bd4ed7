/**
 * A stream of bytes cut into rows, every byte kept. A row ends with LF, CR LF, a CR alone, or the table.
 * Quotes follow RFC 4180, section 2, read as Python's csv module does: a quote opens only at the start of a field, and what
 * follows a closing quote is part of the field.
 */
import { TableError } from '../../base/errors.ts';

/** Whole rows: row k is `bytes[ends[k - 1], ends[k])`, row 0 starts at `start`. Blank lines belong to the row after them. */
export interface RowBlock {
  bytes: Buffer;
  /** Where row 0 starts: 3 after a byte order mark, else 0. */
  start: number;
  ends: Uint32Array;
  /** Line of the table at which `bytes` starts, counted from 1. */
  firstLine: number;
  // Bytes after the last row (in the last block only) are blank lines.
}

/** Rows, one by one, as spans of bytes. */
export type RowSpans = Iterable<{ bytes: Buffer; start: number; end: number }>;

export interface RowRules {
  /** The byte between fields, where quotes may hide a line end; without it rows are lines. */
  delimiter?: number;
  /** Number of the first row in messages: 0 where it is a header. */
  firstRowNumber: number;
  /** @default 16 MiB: what is longer is taken for a quote that never ends. */
  maxRowBytes?: number;
  /** Least bytes looked at together (3 or more). @default 64 KiB */
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

/** @throws TableError BAD_ROW (a quote that never ends), BAD_FORMAT (UTF-16). */
export async function* readRows(
  source: AsyncIterable<Uint8Array>,
  rules: RowRules,
): AsyncGenerator<RowBlock> {
  const { delimiter = -1, firstRowNumber: firstRow, maxRowBytes = 2 ** 24, blockBytes = 2 ** 16 } = rules;
  const delimited = delimiter >= 0;
  let pending: Buffer = Buffer.alloc(0); // the start of a row whose end has not come yet
  let scanned = 0;
  let state = BLANK;
  let rows = 0;
  let line = 1; // at the start of `pending`
  let lineEnds = 0; // in `pending[0, scanned)`
  let opened = false;
  let start = 0;

  const unclosed = (why: string): TableError =>
    new TableError('BAD_ROW', `row ${firstRow + rows} (line ${line + leadingLines(pending, start)}): ${why}`);

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
    if (stop > scanned && pending[stop - 1] === CR) stop--; // whether it is alone, the next byte says
    const unseen = pending.subarray(scanned, stop);
    // Where neither can come, a row that has begun ends at the next LF, which is found many times faster than by looking at each byte.
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
        state = QUOTED; // opens a field, or the second of a doubled quote
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

/** The same bytes in chunks of at least `leastBytes`; only the last may be shorter. */
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

/** LF, CR LF (at its LF), or a CR alone. */
const endsLine = (bytes: Buffer, at: number): boolean =>
  bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] !== LF);

/** Blank lines at the start of a row. */
function leadingLines(bytes: Buffer, start: number): number {
  let lines = 0;
  for (let at = start; bytes[at] === LF || bytes[at] === CR; at++) if (endsLine(bytes, at)) lines++;
  return lines;
}

/** Where the line end of a row starts: LF, CR LF or CR; at the end of a table there need not be one. */
export function contentEnd(bytes: Buffer, start: number, end: number): number {
  if (end > start && bytes[end - 1] === LF) end--;
  else return end > start && bytes[end - 1] === CR ? end - 1 : end;
  return end > start && bytes[end - 1] === CR ? end - 1 : end;
}

/** Line of row `index` of a block, counted from 1. */
export function lineOf(block: RowBlock, index: number): number {
  const { bytes, firstLine } = block,
    from = rowStart(block, index);
  let line = firstLine;
  for (let at = 0; at < from; at++) if (endsLine(bytes, at)) line++;
  return line + leadingLines(bytes, from);
}

/** Where row `index` of a block starts. */
export const rowStart = ({ start, ends }: RowBlock, index: number): number =>
  index === 0 ? start : ends[index - 1];

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
