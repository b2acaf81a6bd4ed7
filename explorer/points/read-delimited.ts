/** Reads CSV and TSV. Papa Parse splits the text into cells, a piece at a time. */
import Papa from 'papaparse';
import { type Breathe, PasteError, type PastedPoints } from './pasted-points.ts';
import { PointRows } from './point-rows.ts';
import { findPositionColumns, type PositionColumns } from './position-columns.ts';
import { readNumber, readPosition } from './read-number.ts';

/** Characters that are split at once. */
const PIECE = 2 ** 17;
/** More columns than this are a mistake, or harm. */
const MAX_COLUMNS = 1000;

const delimiterOf = (firstLine: string): string =>
  firstLine.includes('\t') ? '\t' : firstLine.includes(',') || !firstLine.includes(';') ? ',' : ';';

/** @throws PasteError if no column holds positions, or a quote is never closed. */
export function readDelimited(text: string, breathe: Breathe): Promise<PastedPoints> {
  const newline = text.indexOf('\n');
  const delimiter = delimiterOf(newline < 0 ? text : text.slice(0, newline));
  const reader = new RowReader();
  return new Promise((resolve, reject) => {
    Papa.parse<string[]>(text, {
      delimiter,
      quoteChar: '"',
      chunkSize: PIECE,
      skipEmptyLines: true,
      chunk: ({ data, errors }: Papa.ParseResult<string[]>, parser: Papa.Parser) => {
        try {
          const quote = errors.find(({ code }) => code === 'MissingQuotes');
          if (quote) throw new PasteError('A quoted cell of the table is never closed.');
          for (const row of data) reader.add(row);
        } catch (error) {
          reject(error);
          parser.abort(); // which completes
          return;
        }
        parser.pause();
        breathe().then(() => parser.resume(), reject);
      },
      complete: () => {
        try {
          resolve(reader.finish(delimiter === '\t' ? 'TSV' : 'CSV'));
        } catch (error) {
          reject(error);
        }
      },
    });
  });
}

/** Turns rows of cells into points. The first row is the header, unless it begins with three numbers. */
class RowReader {
  #rows: PointRows | undefined;
  #position: PositionColumns = [0, 1, 2];
  #others: number[] = [];
  #row = 0;

  add(cells: readonly string[]): void {
    this.#row++;
    if (cells.length === 1 && cells[0].trim() === '') return;
    if (!this.#rows) {
      if (cells.length > MAX_COLUMNS) throw new PasteError(`The table has more than ${MAX_COLUMNS} columns.`);
      const hasHeader = cells.slice(0, 3).some((cell) => Number.isNaN(readNumber(cell))) || cells.length < 3;
      const names = cells.map((cell, k) => (hasHeader ? cell.trim() : k < 3 ? 'xyz'[k] : `column ${k + 1}`));
      this.#position = findPositionColumns(names);
      this.#others = names.flatMap((_, k) => (this.#position.some((column) => column === k) ? [] : [k]));
      this.#rows = new PointRows(this.#others.map((k) => names[k]));
      if (hasHeader) return;
    }
    const others = this.#others.map((k) => cells[k] ?? '');
    const texts = this.#position.map((k) => cells[k] ?? '');
    const position = texts.length === 1 ? readPosition(texts[0]) : texts.map(readNumber);
    if (position && !position.some(Number.isNaN)) this.#rows.add(position, others);
    else this.#rows.addUnreadable(`row ${this.#row}`, texts.join(', '), others);
  }

  finish(form: 'CSV' | 'TSV'): PastedPoints {
    if (!this.#rows || this.#rows.count === 0) throw new PasteError('The table has no rows.');
    return this.#rows.finish(form);
  }
}
