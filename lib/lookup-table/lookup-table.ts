/** The public function `lookupTable`. Its work is imported when it is called: few programs need it. */
import { copyOptions } from '../base/option-table.ts';
import type { TableSummary } from '../jobs/job-types.ts';
import type { LookupSink, LookupSource, LookupTableOptions } from './table-types.ts';

/**
 * Looks up the points of a table, and writes the same rows, in the same order, with their answers: what
 * `graphene-points lookup` does. Reads and writes CSV, TSV, JSON Lines, Parquet, Arrow and NumPy arrays.
 *
 * A table of any size is looked up in bounded memory. If it has more than a million rows, its points are sorted by
 * chunk in temporary files first, about 35 bytes a point, so that each chunk is read about once. A row that fails
 * has a status, as in `scatteredPoints` with `onError: 'status'`; it is no error.
 *
 * @param source A path, a pattern, a list of them, or a stream of bytes, which needs `format`.
 * @param sink A path or a stream. A file or an object is written whole or not at all: the rows are written beside it
 *   (`FILE.partial`), and it may be the source.
 * @param options `volume` is required. Points are in voxels of mip 0, xyz, unless `resolution` sets another unit.
 * @returns The rows, the answers by status, the statistics and the timestamps of the roots.
 * @throws TableError for a table that cannot be read or written, a column that is missing or exists, a bad row with
 *   `strict`, or more failures than `maxFailures`; TypeError or RangeError for options that cannot be used; what
 *   opening a volume throws; InfoError NOT_OPENED for a volume of `also`; TimestampError; VolumeClosedError;
 *   `signal.reason`.
 * @example
 * const { rows, statuses } = await lookupTable('synapses.parquet', 'roots.parquet', {
 *   volume: 'cave://minnie65_public',
 *   position: 'ctr_pt_position',
 *   resolution: [4, 4, 40],
 * });
 */
export async function lookupTable(
  source: LookupSource,
  sink: LookupSink,
  options: LookupTableOptions,
): Promise<TableSummary> {
  // Copied before the import, which takes a while.
  const paths = Array.isArray(source) ? [...(source as readonly string[])] : source,
    own = copyOptions(options);
  const { runLookupTable } = await import('./run-lookup-table.ts');
  return runLookupTable(paths, sink, own);
}
