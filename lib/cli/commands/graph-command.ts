/** The command line of `graphene-points graph`: one sub command a call, its options and arguments. */
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
import { delimiterOption, formatOption, outOption } from './table-options.ts';
import { graphFlags } from './volume-options.ts';

/** Made anew for each sub command: commander writes into them. */
const OPTIONS: Readonly<Record<keyof GraphFlags, () => Option>> = {
  timestamp: () => createFlag(TIMESTAMP_OPTION, { default: 'now' }),
  from: () => createFlag(WINDOW_OPTIONS.from, { default: 'as far back as there is' }),
  to: () => createFlag(WINDOW_OPTIONS.to, { default: 'now' }),
  bounds: () => createFlag(BOUNDS_OPTION).argParser(box),
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
      new Option('--source <id,x,y,z>', 'an ID and a point on it, in nanometres; may be repeated').argParser(
        collectPoints,
      ),
    ),
  sink: () =>
    markRepeatable(new Option('--sink <id,x,y,z>', 'the same on the other side').argParser(collectPoints)),
  query: () => markRepeatable(createFlag(REQUEST_OPTIONS.query).argParser(collectQuery)),
  body: () => createFlag(REQUEST_OPTIONS.body),
  as: () =>
    createFlag(REQUEST_OPTIONS.as, {
      says: 'what the answer is: JSON, binary uint64 IDs, or text',
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
    graphFlags(command)
      .addOption(outOption('written as FILE.partial first; - is standard output'))
      .addHelpText('after', call.ids === undefined ? '' : ID_HELP)
      .action(
        action(async (path: string, given: unknown) => {
          const { runGraph: ask } = await import('../run-graph.ts');
          return ask(name, path, idsOrArgument(given), command.opts<GraphCommandFlags>(), io, report);
        }),
      );
  }
};

const idFlags = (command: Command, ids: string): Command =>
  command
    .argument('[ids...]', `each ${ids}`)
    .option(
      '--ids <file>',
      `the IDs, one a line or in a table: .csv, .tsv, .jsonl or .ndjson; - is standard input; repeats and 0 are left out`,
      parseText,
    )
    .option('--column <name>', `their column (default: ${ids}, or the only one that ends so)`, parseText)
    .addOption(formatOption('by suffix and content'))
    .addOption(delimiterOption());

/** What stands behind the path, if anything. */
const idsOrArgument = (given: unknown): string[] =>
  Array.isArray(given) ? (given as string[]) : typeof given === 'string' ? [given] : [];

const ID_HELP = `
One line an ID, in their order; one without an answer has "error" and "message" instead. IDs are strings, moments ISO 8601.

Exit code: 0; 1 if any ID has no answer or is none; 2 for bad usage or unreadable input.`;

function box(value: string): Bounds {
  const numbers = value.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (numbers.length !== 6 || !numbers.every(Number.isFinite))
    throw new InvalidArgumentError('expected six numbers, such as 0,0,0,512,512,64.');
  return { min: numbers.slice(0, 3), max: numbers.slice(3) };
}

function collectPoints(value: string, before: GraphPoint[] = []): GraphPoint[] {
  const [id, ...rest] = value.split(','),
    nm = rest.map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (!/^\d{1,20}$/.test(id) || nm.length !== 3 || !nm.every(Number.isFinite))
    throw new InvalidArgumentError('expected an ID and three numbers, such as 720575940,4000,4000,40.');
  return [...before, { id: BigInt(id), nm }];
}

function collectQuery(value: string, before: Record<string, string> = {}): Record<string, string> {
  const at = value.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected name=value.');
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) };
}
