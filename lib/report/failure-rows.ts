/** Reads the first rows of the table of failures of a job. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { FAILURES, type JobFolder } from '../jobs/job-folder.ts';
import type { FailureRows } from './model/report-facts.ts';
import { safeMessage } from './model/safe-url.ts';

const ROWS = 20,
  READ_BYTES = 2 ** 17;

/** Reads the rows; undefined if the job has no such table. */
export async function readFailureRows(folder: JobFolder): Promise<FailureRows | undefined> {
  const file = join(folder.path, FAILURES),
    handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return undefined;
  try {
    const bytes = new Uint8Array(READ_BYTES),
      { bytesRead } = await handle.read(bytes, 0, READ_BYTES, 0);
    const [header, ...rows] = parseCsv(Buffer.from(bytes.subarray(0, bytesRead)).toString('utf8'));
    return { file, header: header ?? [], rows: rows.slice(0, ROWS).map((cells) => cells.map(safeMessage)) };
  } finally {
    await handle.close();
  }
}

/** Splits the whole rows of a text into cells; a row that is cut is left out. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let cells: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== '\n') continue;
    rows.push(cells);
    cells = [];
  }
  return rows;
}
