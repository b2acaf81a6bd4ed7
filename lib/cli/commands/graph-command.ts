/** Defines `graphene-points graph`: one subcommand per call, with its options and arguments. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  BOUNDS_OPTION,
  BY_OPTION,
  FILTERED_OPTION,
  INCLUDE_UNDONE_OPTION,
  LATEST_OPTION,
  LEAVES_OPTIONS,
  PRECISE_OPTION,
  RAW_OPTION,
  REQUEST_OPTIONS,
  TIMESTAMP_OPTION,
  WINDOW_OPTIONS,
} from '../../chunkedgraph/api/call-options.ts';
import { BOUNDS_OPTIONS, type Bounds } from '../../chunkedgraph/api/check-arguments.ts';
import type { GraphPoint } from '../../chunkedgraph/api/nodes.ts';
import { type DefineCommand, GRAPH_PATH_HELP } from '../command.ts';
import { GRAPH_COMMANDS, type GraphFlags } from '../graph-commands.ts';
import type { GraphCommandFlags } from '../run-graph.ts';
import { parseNumbers, parseText } from '../option-values.ts';
import { markRepeatable } from '../repeats.ts';
import { markRequired } from '../required.ts';
import { createFlag } from '../table-flags.ts';
import { delimiterOption, formatOption, outOption, tempDirOption } from './table-options.ts';
import { bucketFlags, graphFlags } from './volume-options.ts';

/** Creates the option of each flag. Each subcommand needs its own options, because commander changes them. */
const OPTIONS: Readonly<Record<keyof GraphFlags, () => Option>> = {
  timestamp: () => createFlag(TIMESTAMP_OPTION, { default: 'now' }),
  from: () => createFlag(WINDOW_OPTIONS.from, { default: 'the start of the history' }),
  to: () => createFlag(WINDOW_OPTIONS.to, { default: 'now' }),
  bounds: () => createFlag(BOUNDS_OPTION).argParser(parseBox),
  resolution: () => createFlag(BOUNDS_OPTIONS.resolution).argParser(parseNumbers),
  stopLayer: () => createFlag(LEAVES_OPTIONS.stopLayer),
  verify: () => createFlag(LEAVES_OPTIONS.verify),
  by: () => createFlag(BY_OPTION),
  unfiltered: () => createFlag(FILTERED_OPTION),
  raw: () => createFlag(RAW_OPTION),
  latest: () => createFlag(LATEST_OPTION),
  includeUndone: () => createFlag(INCLUDE_UNDONE_OPTION),
  precise: () => createFlag(PRECISE_OPTION),
  source: () =>
    markRepeatable(
      new Option('--source <id,x,y,z>', 'an ID and a point on it in nanometres; may be repeated').argParser(
        parsePoint,
      ),
    ),
  sink: () =>
    markRepeatable(
      new Option('--sink <id,x,y,z>', 'the same for the other side; may be repeated').argParser(parsePoint),
    ),
  query: () => markRepeatable(createFlag(REQUEST_OPTIONS.query).argParser(parseQuery)),
  body: () => createFlag(REQUEST_OPTIONS.body),
  as: () =>
    createFlag(REQUEST_OPTIONS.as, {
      says: 'the type of the answer: JSON, binary uint64 IDs, or text',
      choices: ['json', 'ids', 'text'],
    }),
};

export const defineGraphCommand: DefineCommand = (graph, { io, report, action }) => {
  for (const [name, call] of Object.entries(GRAPH_COMMANDS)) {
    const command = graph
      .command(name)
      .description(`${call.summary}.`)
      .argument('<cloudpath>', GRAPH_PATH_HELP);
    if (call.ids !== undefined) idFlags(command, call.ids);
    else if (call.argument !== undefined) command.argument(`<${call.argument}>`);
    for (const option of call.options ?? [])
      command.addOption(
        call.required?.includes(option) ? markRequired(OPTIONS[option]()) : OPTIONS[option](),
      );
    bucketFlags(graphFlags(command))
      .addOption(
        tempDirOption(
          'folder for the temporary file of an output in a bucket (default: TMPDIR, else that of the system)',
        ),
      )
      .addOption(
        outOption('output file, or gs:// or s3:// URL; written to FILE.partial first; - is standard output'),
      )
      .addHelpText('after', call.ids === undefined ? '' : ID_HELP)
      .action(
        action(async (path: string, given: unknown) => {
          const { runGraph } = await import('../run-graph.ts');
          return runGraph(name, path, idsOrArgument(given), command.opts<GraphCommandFlags>(), io, report);
        }),
      );
  }
};

const idFlags = (command: Command, ids: string): Command =>
  command
    .argument('[ids...]', `one or more: ${ids}`)
    .option(
      '--ids <file>',
      'file with the IDs, or a cloud path: one per line, or a table in any format of roots; - is standard input; repeated IDs and 0 are left out',
      parseText,
    )
    .option(
      '--column <name>',
      `the column with the IDs (default: ${ids}, or the only column whose name ends with _${ids})`,
      parseText,
    )
    .addOption(formatOption('by suffix and content'))
    .addOption(delimiterOption());

/** Returns the arguments after the path. */
const idsOrArgument = (given: unknown): string[] =>
  Array.isArray(given) ? (given as string[]) : typeof given === 'string' ? [given] : [];

const ID_HELP = `
The output has one line per ID, in the same order. If an ID has no answer, its line has "error" and
"message" instead. IDs are strings, and timestamps are ISO 8601.

Exit code: 0 if all IDs have an answer; 1 if any ID has no answer or is invalid; 2 for bad usage or
unreadable input.`;

function parseBox(value: string): Bounds {
  const numbers = value.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (numbers.length !== 6 || !numbers.every(Number.isFinite))
    throw new InvalidArgumentError('expected six numbers, such as 0,0,0,512,512,64.');
  return { min: numbers.slice(0, 3), max: numbers.slice(3) };
}

function parsePoint(value: string, before: GraphPoint[] = []): GraphPoint[] {
  const [id, ...rest] = value.split(','),
    nm = rest.map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (!/^\d{1,20}$/.test(id) || nm.length !== 3 || !nm.every(Number.isFinite))
    throw new InvalidArgumentError('expected an ID and three numbers, such as 720575940,4000,4000,40.');
  return [...before, { id: BigInt(id), nm }];
}

function parseQuery(value: string, before: Record<string, string> = {}): Record<string, string> {
  const at = value.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected name=value.');
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) };
}
