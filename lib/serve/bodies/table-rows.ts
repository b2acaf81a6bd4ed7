/** Points and IDs from tables: CSV, TSV and Arrow. */
import { findAxisColumns, findIdColumn, findPointColumns, requireColumns } from '../../jobs/columns.ts';
import { PointStatus } from '../../points/status.ts';
import { streamInput } from '../../tables/files/table-input.ts';
import { openTable } from '../../tables/open-table.ts';
import type { Batch, ColumnChoice, PointColumns } from '../../tables/table.ts';
import { HttpRefusal } from '../http-errors.ts';
import { BATCH_ROWS, type BodyIds, type BodyPoints } from './body-rows.ts';

/** Most bytes of a compressed record batch: 2.7 million points of float64. */
const MAX_EXPANDED = 64 * 2 ** 20;

/** The formats of tables. */
export type TableFormat = 'csv' | 'tsv' | 'arrow';

/** The names of a column with whole positions. */
const POSITIONS = ['position', 'pt_position', 'point', 'points'];

/** Yields the points of a table: from the columns x, y and z, or one column of positions. */
export async function* readTablePoints(
  source: AsyncIterable<Uint8Array>,
  format: TableFormat,
): AsyncGenerator<BodyPoints> {
  const choice: ColumnChoice = (found) => ({ points: [choosePoints(found)], outputs: [], replace: true });
  for await (const batch of batchesOf(source, format, choice, ({ pointStatus }) => pointStatus))
    yield { values: batch.points, count: batch.rows, preset: presetOf(batch.pointStatus) };
}

/** Yields the IDs of a table: from the column `id`, or the column of the kind. */
export async function* readTableIds(
  source: AsyncIterable<Uint8Array>,
  format: TableFormat,
  kind: 'supervoxel_id' | 'root_id',
): AsyncGenerator<BodyIds> {
  const choice: ColumnChoice = (found) => ({
    ids: [found.includes('id') ? 'id' : findIdColumn(found, kind).name],
    outputs: [],
    replace: true,
  });
  for await (const batch of batchesOf(source, format, choice, ({ idStatus }) => idStatus))
    yield { values: batch.ids, count: batch.rows, preset: presetOf(batch.idStatus) };
}

function choosePoints(found: readonly string[]): PointColumns {
  const position = POSITIONS.find(
    (name) => found.includes(name) || ['_x', '_X', '.x', '.X'].some((end) => found.includes(name + end)),
  );
  const [x, y, z] = findAxisColumns(found);
  if (position !== undefined && ![x, y, z].every((name) => found.includes(name!)))
    return findPointColumns(found, position);
  return requireColumns(found, [x, y!, z!]);
}

/** Yields the batches of a table. A row that cannot be read is an error; one without a value is not looked up. */
async function* batchesOf(
  source: AsyncIterable<Uint8Array>,
  format: TableFormat,
  choice: ColumnChoice,
  statusOf: (batch: Batch) => Uint8Array,
): AsyncGenerator<Batch> {
  const input = format === 'arrow' ? streamInput('the body', () => source) : undefined;
  const table = openTable(input ?? source, choice, {
    format,
    batchRows: BATCH_ROWS,
    maxExpanded: MAX_EXPANDED,
  });
  try {
    for await (const batch of table.batches()) {
      const status = statusOf(batch),
        { rows, readError } = batch,
        end = readError?.row ?? rows;
      for (let row = 0; row < end; row++)
        if (status[row] !== 0 && status[row] !== PointStatus.notLookedUp)
          throw new HttpRefusal(400, `${batch.nameOf(row)}: ${batch.describeInvalid(row)}`);
      if (readError) throw readError.error;
      yield batch;
    }
  } finally {
    await table.close?.();
    await input?.close();
  }
}

const presetOf = (status: Uint8Array): Uint8Array | undefined =>
  status.some((code) => code !== 0) ? status.slice() : undefined;
