/** Reads a text table once before its rows are looked up, to find the types of its columns. */
import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TableError } from '../../base/errors.ts';
import { lineOf, readRows, type RowRules } from '../text/rows.ts';
import type { RowColumns, RowScanner } from './row-columns.ts';

/** The text of a file. */
export interface ScannedFile {
  /** The name in errors; undefined for the only file of a table. */
  name?: string;
  text(): AsyncIterable<Uint8Array>;
}

/** How long the scan may block other work. */
const TURN_MS = 20;

/** Scans all rows of some files of one table. @throws TableError for a row that columns cannot hold. */
export async function scanTable(
  files: readonly ScannedFile[],
  rules: RowRules,
  scanner: RowScanner,
  signal?: AbortSignal,
): Promise<RowColumns> {
  let turn = performance.now();
  for (const file of files) {
    const { name } = file;
    const prefix = name === undefined ? '' : `${name}: `;
    let rows = 0,
      isFirst = true;
    try {
      for await (const block of readRows(file.text(), rules)) {
        const { bytes, start, ends } = block;
        if (!isUtf8(bytes))
          throw new TableError(
            'BAD_FORMAT',
            'the table is not UTF-8: only an output in the format of the input keeps its bytes',
          );
        for (let k = 0; k < ends.length; k++) {
          try {
            scanner.note(bytes, k === 0 ? start : ends[k - 1], ends[k], isFirst);
          } catch (error) {
            if (!(error instanceof TableError)) throw error;
            const number = rules.firstRowNumber + rows + k;
            throw new TableError(error.code, `row ${number} (line ${lineOf(block, k)}): ${error.message}`);
          }
          isFirst = false;
        }
        rows += ends.length;
        if (performance.now() - turn < TURN_MS) continue;
        await nextTurn();
        signal?.throwIfAborted();
        turn = performance.now();
      }
    } catch (error) {
      if (!(error instanceof TableError) || prefix === '' || error.message.startsWith(prefix)) throw error;
      throw new TableError(error.code, prefix + error.message);
    }
  }
  return scanner.columns();
}
