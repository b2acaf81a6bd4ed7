/** The work of `lookupTable`: opens the files and the volumes, looks up, and completes the output or takes it back. */
import { parseOptions } from '../base/option-table.ts';
import { byName } from '../base/option-names.ts';
import type { WindowSizes } from '../jobs/plan-tasks.ts';
import { toMaxFailures } from '../jobs/failure-bound.ts';
import type { TableSummary } from '../jobs/job-types.ts';
import type { TablePath } from '../table-files/cloud-input.ts';
import { openTableFiles, type TableFiles, type TableFilesOptions } from '../table-files/open-files.ts';
import { findTables } from '../table-files/table-paths.ts';
import { temporaryFolder } from '../table-files/temporary-folder.ts';
import { chooseFormats } from './format-options.ts';
import { LOOKUP_TABLE_OPTIONS } from './lookup-table-options.ts';
import { checkSink, streamOutput } from './sink-stream.ts';
import { checkSource, closeSource, streamTable } from './source-stream.ts';
import {
  checkTableLookup,
  lookUpInto,
  openLookupVolumes,
  type OpenedLookup,
  type TableLookup,
} from './table-lookup.ts';
import type { LookupSink, LookupSource, LookupTableOptions } from './table-types.ts';

/** The sizes that specs make small. */
export interface RunSizes extends Partial<WindowSizes> {
  /** See `RowOptions`. */
  batchRows?: number;
}

/** Runs a look-up. @throws What `lookupTable` throws. */
export async function runLookupTable(
  source: LookupSource,
  sink: LookupSink,
  given: LookupTableOptions,
  sizes: RunSizes = {},
): Promise<TableSummary> {
  const options = parseOptions(given, LOOKUP_TABLE_OPTIONS);
  checkSource(source);
  checkSink(sink);
  const { signal = new AbortController().signal, warn = warnOnConsole } = options,
    lookup = toLookup(options);
  const stream = typeof sink === 'string' ? undefined : streamOutput(sink, signal);
  try {
    signal.throwIfAborted();
    const tables = await findSource(source, lookup),
      out = typeof sink === 'string' ? sink : '-';
    const formats = chooseFormats(tables, out, lookup, byName, warn);
    checkTableLookup(lookup, byName);
    const files = {
      inputs: tables,
      output: typeof sink === 'string' ? sink : stream!.output,
      format: formats.written,
      cloud: { storage: lookup.storage, retries: lookup.retries },
      tempDir: lookup.tempDir,
      env: process.env,
      signal,
      warn,
      nameOf: byName,
    };
    return await withFiles(files, lookup, options, async (opened, open) => {
      const folder = await temporaryFolder({ tempDir: lookup.tempDir, out }, process.env),
        input = open.input(folder),
        output = await open.openOutput();
      const { batchRows, ...windows } = sizes,
        running = { folder, sizes: windows, batchRows, signal, warn, onProgress: options.onProgress };
      try {
        const summary = await lookUpInto(output, { lookup, formats, opened, input }, running);
        await output.finish();
        return summary;
      } catch (error) {
        await output.abandon(false);
        throw error;
      }
    });
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : error;
    closeSource(source);
    stream?.fail(reason);
    throw reason;
  }
}

/** Opens the files, then the volumes, for some work. Both are closed after it. */
async function withFiles<T>(
  options: TableFilesOptions,
  lookup: TableLookup,
  { open, signal, warn = warnOnConsole }: LookupTableOptions,
  work: (opened: OpenedLookup, files: TableFiles) => Promise<T>,
): Promise<T> {
  const files = await openTableFiles(options);
  try {
    const logger = open?.logger ?? { warn },
      opened = await openLookupVolumes(lookup, { signal, logger, nameOf: byName });
    try {
      return await work(opened, files);
    } finally {
      await opened.volumes.close();
    }
  } finally {
    await files.close();
  }
}

const findSource = async (
  source: LookupSource,
  { storage, retries }: TableLookup,
): Promise<readonly TablePath[]> =>
  typeof source === 'string' || Array.isArray(source)
    ? findTables('source', typeof source === 'string' ? [source] : (source as readonly string[]), {
        storage,
        retries,
      })
    : [streamTable(source as AsyncIterable<Uint8Array>)];

const toLookup = ({ position, maxFailures, ...lookup }: LookupTableOptions): TableLookup => ({
  ...lookup,
  positions: typeof position === 'string' ? [position] : position,
  maxFailures: maxFailures === undefined ? undefined : toMaxFailures(maxFailures),
});

const warnOnConsole = (message: string): void => console.warn(`graphene-points: ${message}`);
