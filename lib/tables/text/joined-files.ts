/** Joins the rows of several text files of one format and the same columns to one table. */
import { TableError } from '../../base/errors.ts';
import type { ColumnChoice } from '../table.ts';
import { ByteWriter } from './byte-writer.ts';
import { readRows, type RowBlock, rowsOf } from './rows.ts';
import type { TextFormat } from './text-format.ts';

/** One of several files. */
export interface TextFile {
  /** The name in messages. */
  name: string;
  /** Yields the text. */
  text(): AsyncIterable<Uint8Array>;
  /**
   * Yields the text, or its start, before the table is read. @default The columns are checked as it is read.
   */
  peek?: () => AsyncIterable<Uint8Array>;
}

const LF = 10,
  CR = 13;

/** Several files, to be read once. */
export class JoinedFiles {
  readonly #files: readonly TextFile[];
  readonly #create: (columns: ColumnChoice) => TextFormat;
  /** The files that were begun, and the rows of the table before each. */
  readonly #begun: NonNullable<RowBlock['file']>[] = [];
  /** The first file with columns. */
  #first: { name: string; columns: readonly string[] } | undefined;
  #rows = 0;

  /** @param create Makes the format of one file. */
  constructor(files: readonly TextFile[], create: (columns: ColumnChoice) => TextFormat) {
    this.#files = files;
    this.#create = create;
  }

  /**
   * Yields the rows of all files in order. Only the first file keeps its header. A last row without a line
   * end gets one, unless it is that of the last file.
   *
   * @throws TableError BAD_FORMAT if a file has other columns than the first, before any row where it can be
   * known.
   */
  async *blocks(): AsyncGenerator<RowBlock> {
    for (const file of this.#files) if (file.peek) await this.#checkAhead(file, file.peek());
    for (const [k, file] of this.#files.entries()) {
      const tag = { name: file.name, rowsBefore: this.#rows };
      this.#begun.push(tag);
      const text = file.text();
      let isBegun = false;
      const { rules } = this.#create(() => NO_COLUMNS);
      const source = k === this.#files.length - 1 ? text : withLineEnd(text);
      for await (const block of naming(file.name, readRows(source, rules))) {
        const isHeader = !isBegun && this.#checkColumns(file.name, block);
        isBegun = true;
        const own =
          isHeader && k > 0 ? { ...block, start: block.ends[0], ends: block.ends.subarray(1) } : block;
        this.#rows += isHeader && k === 0 ? own.ends.length - 1 : own.ends.length;
        yield { ...own, file: tag };
      }
      if (!isBegun) this.#checkColumns(file.name, undefined);
    }
  }

  /** Returns the name of a row of the table in messages: its file, and its number in the file. */
  rowName(row: number): string {
    let file = this.#begun[0];
    for (const next of this.#begun) {
      if (next.rowsBefore >= row) break;
      file = next;
    }
    return `${file.name}: row ${row - file.rowsBefore}`;
  }

  async #checkAhead({ name }: TextFile, start: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const block of naming(name, readRows(start, this.#create(() => NO_COLUMNS).rules))) {
      this.#checkColumns(name, block);
      return;
    }
    this.#checkColumns(name, undefined);
  }

  /** Compares the columns of a file with those of the first. @returns Whether its first row is a header. */
  #checkColumns(name: string, block: RowBlock | undefined): boolean {
    let found: readonly string[] | undefined;
    const format = this.#create((columns) => {
      found = [...columns];
      return NO_COLUMNS;
    });
    const head = new ByteWriter(1024);
    let isHeader: boolean;
    try {
      isHeader = block
        ? format.readHeader(block.bytes, block.start, block.ends[0] ?? block.start, head, {
            [Symbol.iterator]: () => rowsOf([block]),
          })
        : format.readHeader(Buffer.alloc(0), 0, 0, head, []);
    } catch (error) {
      const isRow = error instanceof TableError && error.code === 'BAD_ROW';
      throw named(isRow ? `${name}: row ${format.rules.firstRowNumber}` : name, error);
    }
    if (!found) return isHeader;
    this.#first ??= { name, columns: found };
    const difference = differenceOf(this.#first.columns, found, format.hasHeader);
    if (difference === undefined) return isHeader;
    throw new TableError(
      'BAD_FORMAT',
      `${name} does not have the columns of ${this.#first.name}: ${difference}; files of one table need the same columns`,
    );
  }
}

const NO_COLUMNS = { outputs: [], replace: false };

/** Says how the columns of two files differ. @param isOrdered Whether their order counts. */
function differenceOf(
  expected: readonly string[],
  found: readonly string[],
  isOrdered: boolean,
): string | undefined {
  const missing = expected.filter((column) => !found.includes(column)),
    more = found.filter((column) => !expected.includes(column));
  if (missing.length > 0 || more.length > 0)
    return [
      missing.length > 0 && `${missing.map(quote).join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing`,
      more.length > 0 && `${more.map(quote).join(', ')} ${more.length > 1 ? 'are' : 'is'} not in that file`,
    ]
      .filter(Boolean)
      .join(', and ');
  if (!isOrdered) return undefined;
  if (found.length !== expected.length) return `it has ${found.length} columns, not ${expected.length}`;
  const other = expected.findIndex((column, k) => column !== found[k]);
  return other < 0
    ? undefined
    : `column ${other + 1} is ${quote(found[other])}, not ${quote(expected[other])}`;
}

const quote = (name: string): string => JSON.stringify(name.slice(0, 60));

/** Names the file in the errors of its rows. */
async function* naming(name: string, blocks: AsyncIterable<RowBlock>): AsyncGenerator<RowBlock> {
  try {
    yield* blocks;
  } catch (error) {
    throw named(name, error);
  }
}

const named = (name: string, error: unknown): unknown =>
  error instanceof TableError && !error.message.startsWith(name)
    ? new TableError(error.code, `${name}: ${error.message}`, { cause: error.cause })
    : error;

/** Adds a line end to a text that lacks it at its end: that of its first line. */
async function* withLineEnd(text: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let last = LF,
    lineEnd: Uint8Array | undefined;
  for await (const part of text) {
    if (part.length === 0) continue;
    const at = lineEnd ? -1 : part.indexOf(LF);
    if (at >= 0) lineEnd = Uint8Array.of(...((at > 0 ? part[at - 1] : last) === CR ? [CR, LF] : [LF]));
    last = part[part.length - 1];
    yield part;
  }
  if (last !== LF && last !== CR) yield lineEnd ?? Uint8Array.of(LF);
}
