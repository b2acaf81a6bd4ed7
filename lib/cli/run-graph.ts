/** Runs `graphene-points graph`: calls a chunkedgraph server and writes the answers as JSON Lines. */
import { GraphError } from '../base/errors.ts';
import { checkTimestampOption } from '../chunkedgraph/roots/resolve-timestamp.ts';
import { parseTimestampOption } from '../chunkedgraph/ids/timestamp.ts';
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import { requestInParts } from '../failures/request-in-parts.ts';
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import { collectIds } from '../jobs/collect-ids.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import type { FormatName } from '../tables/formats.ts';
import { messageWithCauses } from '../jobs/messages.ts';
import { requireOneFormat } from '../lookup-table/format-options.ts';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import { findTables } from '../table-files/table-paths.ts';
import { temporaryFolder } from '../table-files/temporary-folder.ts';
import { flagNames } from './flag-names.ts';
import { GRAPH_COMMANDS, type GraphFlags, type IdGraphCommand } from './graph-commands.ts';
import { detectIdFormat } from './id-format.ts';
import { type Io, UsageError } from './io.ts';
import { toJsonLine } from './json-line.ts';
import { resolveJobTimestamp, openGraph } from '../lookup-table/open-volume.ts';
import { stripControls, type Report } from './report.ts';
import { optionsFromFlags } from './options-from-flags.ts';
import { type JobFiles, openJobFiles } from './table-io.ts';

/** The flags of `graph` and its calls. */
export interface GraphCommandFlags extends GraphFlags {
  out: string;
  /** The table with the IDs; - is standard input. */
  ids?: string;
  column?: string;
  format?: FormatName;
  /** The folder of temporary files. */
  tempDir?: string;
  /** The character between fields, if it is not that of the format. */
  delimiter?: string;
}

/** Runs one call. @returns Whether any ID has no answer. */
export async function runGraph(
  name: string,
  path: string,
  args: readonly string[],
  flags: GraphCommandFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  const { signal } = io,
    call = GRAPH_COMMANDS[name];
  const window = [flags.from, flags.to].map(parseTimestampOption);
  parseTimestampOption(flags.timestamp); // checked before any request
  const { server, ocdbt, retries } = optionsFromFlags<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags);
  const storage = optionsFromFlags<StorageOptions>(STORAGE_OPTIONS, flags);
  const tables = flags.ids === undefined ? [] : await findTables('--ids', [flags.ids], { storage, retries }),
    input = tables.length === 0 ? undefined : { option: '--ids', tables };
  requireOneFormat(tables, flags.format, flagNames('--ids'));
  const files = await openJobFiles(
    { input, out: flags.out, cloud: { storage, retries }, tempDir: flags.tempDir },
    io,
    report,
  );
  let volume: GrapheneVolume | undefined;
  try {
    const { ids, invalid } =
      call.ids === undefined
        ? { ids: [], invalid: 0 }
        : await readIds(call, args, { ...flags, ids: tables.at(0)?.name }, files, io, report);
    volume = await openGraph(
      path,
      { server, ocdbt, retries, signal, logger: report },
      { readsVoxels: false },
    );
    for (const timestamp of window) checkTimestampOption(timestamp, volume.datastack);
    // All requests use the same timestamp.
    const context = {
      graph: volume.at((await resolveJobTimestamp(flags.timestamp, volume, signal)) ?? volume.now()).graph,
      flags,
      signal,
    };
    const failed = await files.writeOutput(async (sink) => {
      if (call.ids !== undefined) return writeEach(call, ids, context, sink, report);
      for (const answer of await call.run(context, args[0]))
        await sink.write(
          Buffer.from(flags.as === 'text' ? String(answer) : toJsonLine(answer, call.keepsNames)),
        );
      return 0;
    });
    return failed === undefined ? false : failed + invalid > 0; // undefined: the reader has closed the output
  } finally {
    await files.close();
    await volume?.close();
  }
}

/** The number of failed IDs that are described on standard error. */
const MAX_WARNINGS = 3;

/** Writes one line per ID, in their order. @returns The number of IDs without an answer. */
async function writeEach(
  call: IdGraphCommand,
  ids: bigint[],
  context: Parameters<IdGraphCommand['run']>[1],
  sink: ByteSink,
  report: Report,
): Promise<number> {
  let failed = 0;
  const write = async (id: bigint | undefined, answer: object): Promise<void> => {
    if ('error' in answer && failed++ < MAX_WARNINGS)
      report.warn(
        `${id === undefined ? '' : `${id}: `}${(answer as unknown as { message: string }).message}`,
      );
    await sink.write(Buffer.from(toJsonLine(id === undefined ? answer : { id, ...answer })));
  };
  for await (const { ids: part, answers, error } of requestInParts(ids, (some) => call.run(some, context), {
    maxIds: call.maxIds ?? 1,
    signal: context.signal,
  })) {
    const failure = error && {
      error: error instanceof GraphError ? error.code : error.name,
      message: stripControls(messageWithCauses(error)),
    };
    if (call.maxIds === Infinity) await write(undefined, failure ?? answers![0]);
    else for (let k = 0; k < part.length; k++) await write(part[k], failure ?? answers![k]);
  }
  if (failed > MAX_WARNINGS) report.warn(`${failed - MAX_WARNINGS} more IDs have no answer`);
  return failed;
}

/**
 * Reads the IDs from the arguments or from the table.
 *
 * @returns The IDs, and the number of rows without a valid ID.
 */
async function readIds(
  { ids: kind, maxIds }: IdGraphCommand,
  args: readonly string[],
  { ids: file, column, out, ...flags }: GraphCommandFlags,
  files: JobFiles,
  io: Io,
  report: Report,
): Promise<{ ids: bigint[]; invalid: number }> {
  if (args.length > 0 === (file !== undefined))
    throw new UsageError(
      args.length > 0
        ? 'name the IDs after the cloud path or in --ids FILE, not both'
        : 'no IDs: name them after the cloud path or in --ids FILE',
    );
  if (file === undefined) return { ids: [...new Set(args.map(parseId))], invalid: 0 };
  const { format, source } = await detectIdFormat(
    files.input(await temporaryFolder({ ...flags, out }, io.env), false).source(),
    file,
    flags,
  );
  const collected = await collectIds(source, {
    format,
    text: { delimiter: flags.delimiter },
    kind,
    column,
    signal: io.signal,
    warn: (message) => report.warn(message),
  });
  if (collected.ids.length === 0 && maxIds === Infinity) throw new UsageError(`${file} holds no IDs`);
  return collected;
}

function parseId(text: string): bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n)
    throw new UsageError(`${JSON.stringify(text)} is not a uint64 ID`);
  return BigInt(text);
}
