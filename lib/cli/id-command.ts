/**
 * Runs the commands on tables of IDs: reads a table, writes the same rows with their answers, and prints a
 * summary.
 */
import type { RowCounts } from '../jobs/job-types.ts';
import type { IdType } from '../tables/columnar/column.ts';
import type { MissingText } from '../tables/missing.ts';
import type { FormatName } from '../tables/formats.ts';
import { isColumnar } from '../tables/open-table.ts';
import { lookUpIdTable, type IdLookup } from '../jobs/id-table.ts';
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import { parseTimestampOption } from '../chunkedgraph/ids/timestamp.ts';
import { detectIdFormat } from './id-format.ts';
import { flagNames } from './flag-names.ts';
import {
  checkMissingOption,
  chooseOutput,
  refuseOptions,
  requireOneFormat,
} from '../lookup-table/format-options.ts';
import type { Io } from './io.ts';
import { resolveJobTimestamp, openGraph } from '../lookup-table/open-volume.ts';
import type { Report } from './report.ts';
import { idSummaryLine, statsJson } from './summary.ts';
import { optionsFromFlags } from './options-from-flags.ts';
import { temporaryFolder } from '../table-files/temporary-folder.ts';
import { findTables } from '../table-files/table-paths.ts';
import { openJobFiles } from './table-io.ts';

/** The flags that are not in an option table. */
export interface IdFlags {
  out: string;
  format?: FormatName;
  /** The format of the output. */
  outFormat?: FormatName;
  /** The character between fields, if it is not that of the format. */
  delimiter?: string;
  column?: string[];
  replace?: boolean;
  missing?: MissingText;
  idType?: IdType;
  timestamp?: string;
  /** The folder of temporary files. */
  tempDir?: string;
  stats?: string;
  strict?: boolean;
  quiet?: boolean;
}

/** A command on a table of IDs. */
export interface IdCommand {
  /** The tables; - is standard input. */
  input: readonly string[];
  /** The option that named the table. @default '--ids' */
  inputOption?: string;
  path: string;
  /** Whether roots come from votes, whose requests are not counted. @default false */
  votes?: boolean;
  /** Whether voxels are read, too. Otherwise the watershed is not opened. @default false */
  readsVoxels?: boolean;
  createLookup: (
    volume: GrapheneVolume,
    timestamp: Date | undefined,
    warn: (message: string) => void,
  ) => IdLookup & { readonly timestamp: Date | undefined; readonly changed?: number };
}

/** The statuses that need attention. */
const BAD_STATUSES = ['root_failed', 'no_root', 'stale_supervoxel', 'invalid_id', 'suspect'];

/** Runs a command. @returns Whether any row needs attention. */
export async function runIdCommand(
  { input, inputOption = '--ids', path, votes, readsVoxels = false, createLookup }: IdCommand,
  flags: IdFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  const { signal } = io;
  parseTimestampOption(flags.timestamp); // checked before anything is opened
  const nameOf = flagNames(inputOption);
  const { server, ocdbt, retries, timeoutMs, dataDir, voxelsAt, resolution, mip } =
    optionsFromFlags<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags);
  const storage = optionsFromFlags<StorageOptions>(STORAGE_OPTIONS, flags);
  const tables = await findTables(inputOption, input, { storage, retries }),
    [{ name }] = tables;
  requireOneFormat(tables, flags.format, nameOf);
  const files = await openJobFiles(
    {
      input: { option: inputOption, tables },
      format: flags.outFormat ?? flags.format,
      out: flags.out,
      stats: flags.stats,
      cloud: { storage, retries },
      tempDir: flags.tempDir,
    },
    io,
    report,
  );
  let volume: GrapheneVolume | undefined;
  try {
    const { format, source } = await detectIdFormat(
      files.input(await temporaryFolder(flags, io.env), false).source(),
      name,
      flags,
    );
    const { replace, missing, idType, strict, out, outFormat } = flags;
    const output = chooseOutput({ out, outFormat, input: format, isJoined: tables.length > 1 }, nameOf),
      written = output?.format ?? format;
    refuseOptions(written, { idType }, nameOf);
    const warn = (message: string): void => report.warn(message);
    checkMissingOption(missing, written, nameOf, warn);
    const opening = { server, ocdbt, retries, timeoutMs, signal, logger: report },
      opened = (volume = await (readsVoxels
        ? openGraph(path, { ...opening, dataDir, voxelsAt, storage, resolution, mip })
        : openGraph(path, opening, { readsVoxels: false })));
    const lookup = createLookup(opened, await resolveJobTimestamp(flags.timestamp, opened, signal), warn);
    const counts = await files.writeOutput<RowCounts>(
      (sink) =>
        lookUpIdTable(lookup, source, sink, {
          format,
          output,
          text: { delimiter: flags.delimiter },
          replace,
          missing,
          idType,
          strict,
          signal,
          warn,
        }),
      () => !isColumnar(written),
    );
    if (!counts) return false; // the reader has closed the output
    const summary = { ...counts, timestamp: lookup.timestamp, changed: lookup.changed };
    await files.writeStats(statsJson(summary));
    if (!flags.quiet) report.line(idSummaryLine(summary, votes));
    return BAD_STATUSES.some((status) => counts.statuses[status] > 0);
  } finally {
    await files.close();
    await volume?.close();
  }
}
