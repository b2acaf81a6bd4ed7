/** What the commands on tables of IDs have in common: a table in, the same rows out, a summary. */
import type { RowCounts } from '../jobs/answer-table.ts';
import type { Missing } from '../tables/text/cells.ts';
import type { FormatName } from '../tables/formats.ts';
import { answerIds, type IdQuestion } from '../jobs/id-table.ts';
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import type { OpenGrapheneOptions } from '../graphene/options.ts';
import { momentOf } from '../chunkedgraph/ids/timestamp.ts';
import { idFormat } from './id-format.ts';
import type { Io } from './io.ts';
import { checkMissing } from './missing.ts';
import { jobMoment, openGraph } from './open-volume.ts';
import type { Report } from './report.ts';
import { idSummaryLine, statsJson } from './summary.ts';
import { given } from './given.ts';
import { openFiles } from './table-io.ts';

/** Besides those of the tables of options. */
export interface IdFlags {
  out: string;
  format?: FormatName;
  /** Between fields, where it is not what the format says. */
  delimiter?: string;
  column?: string[];
  replace?: boolean;
  missing?: Missing;
  timestamp?: string;
  stats?: string;
  strict?: boolean;
  quiet?: boolean;
}

export interface IdCommand {
  /** The table; - is standard input. */
  input: string;
  /** What named it. @default --ids */
  inputOption?: string;
  path: string;
  /** Whether roots come from votes. @default false */
  votes?: boolean;
  question: (
    volume: GrapheneVolume,
    timestamp: Date | undefined,
  ) => IdQuestion & { readonly timestamp: Date | undefined; readonly changed?: number };
}

/** Statuses a user has to do something about. */
const BAD_STATUSES = ['root_failed', 'no_root', 'invalid_id', 'suspect'];

/** @returns whether any row needs attention. */
export async function runIdCommand(
  { input, inputOption = '--ids', path, votes, question }: IdCommand,
  flags: IdFlags,
  io: Io,
  report: Report,
): Promise<boolean> {
  const { signal } = io;
  momentOf(flags.timestamp); // refused before anything is opened
  const files = await openFiles(
    { input: { option: inputOption, file: input }, out: flags.out, stats: flags.stats },
    io,
    report,
  );
  let volume: GrapheneVolume | undefined;
  try {
    const { format, source } = await idFormat(files.source(), input, flags);
    checkMissing(flags.missing, format, report);
    const { server, ocdbt, timeoutMs } = given<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags);
    const opened = (volume = await openGraph(path, { server, ocdbt, timeoutMs, signal, logger: report }));
    const asked = question(opened, await jobMoment(flags.timestamp, opened, signal));
    const { replace, missing, strict } = flags;
    const warn = (message: string): void => report.warn(message);
    const counts = await files.into<RowCounts>((sink) =>
      answerIds(asked, source, sink, {
        format,
        text: { delimiter: flags.delimiter },
        replace,
        missing,
        strict,
        signal,
        warn,
      }),
    );
    if (!counts) return false; // nobody reads on
    const summary = { ...counts, timestamp: asked.timestamp, changed: asked.changed };
    await files.writeStats(statsJson(summary));
    if (!flags.quiet) report.line(idSummaryLine(summary, votes));
    return BAD_STATUSES.some((status) => counts.statuses[status] > 0);
  } finally {
    await files.close();
    await volume?.close();
  }
}
