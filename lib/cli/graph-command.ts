/** The command line of `graphene-points graph`: one sub command a call, its options and arguments. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Bounds } from '../chunkedgraph/api/input.ts';
import type { GraphPoint } from '../chunkedgraph/api/nodes.ts';
import { GRAPH_CALLS, type GraphFlags } from './graph-calls.ts';
import type { GraphCommandFlags } from './graph.ts';
import { commaNumbers, delimiter, text, wholeNumber } from './option-values.ts';
import { mayRepeat } from './repeats.ts';

type Run = (call: string, path: string, args: readonly string[], flags: GraphCommandFlags) => Promise<void>;

const MOMENT = 'ISO 8601 (no zone: UTC), unix seconds, settled, or mat or mat_943 of a datastack';

/** Made anew for each sub command: commander writes into them. */
const OPTIONS: Readonly<Record<keyof GraphFlags, () => Option>> = {
  timestamp: () => new Option('--timestamp <time>', `the moment: ${MOMENT} (default: now)`).argParser(text),
  from: () =>
    new Option('--from <time>', `the earlier moment: ${MOMENT} (default: as far back as there is)`).argParser(
      text,
    ),
  to: () => new Option('--to <time>', 'the later moment (default: now)').argParser(text),
  bounds: () =>
    new Option(
      '--bounds <x0,y0,z0,x1,y1,z1>',
      'only nodes whose graph chunk touches this box, its end outside; the node asked about, too',
    ).argParser(box),
  resolution: () =>
    new Option(
      '--resolution <x,y,z>',
      "nanometres per unit of --bounds (default: voxels of the graph's mip)",
    ).argParser(commaNumbers),
  stopLayer: () =>
    new Option('--stop-layer <layer>', '1 for supervoxels (default), 2 for layer-2 nodes, …').argParser(
      wholeNumber(1),
    ),
  verify: () =>
    new Option(
      '--verify',
      'leave out what an undone merge has left there; one more request a node, and a root look-up',
    ),
  by: () =>
    new Option('--by <voters>', 'whose votes count').choices(['level2', 'supervoxels']).default('level2'),
  unfiltered: () => new Option('--unfiltered', 'also what does not concern the root itself'),
  raw: () => new Option('--raw', 'as the server says: also what came and went in between'),
  latest: () => new Option('--latest', 'the last millisecond of its life; --timestamp for those that live'),
  includeUndone: () => new Option('--include-undone', 'also edits that were undone'),
  precise: () => new Option('--precise', 'centroids of meshes instead of chunk centres'),
  source: () =>
    mayRepeat(
      new Option('--source <id,x,y,z>', 'an ID and a point on it, in nanometres; may be repeated').argParser(
        collectPoints,
      ),
    ),
  sink: () =>
    mayRepeat(new Option('--sink <id,x,y,z>', 'the same on the other side').argParser(collectPoints)),
  query: () =>
    mayRepeat(new Option('--query <name=value>', 'a parameter; may be repeated').argParser(collectQuery)),
  body: () =>
    new Option('--body <json>', 'what is sent, by POST; integers of 64 bits stay exact').argParser(text),
  as: () =>
    new Option('--as <what>', 'what the answer is: JSON, binary uint64 IDs, or text')
      .choices(['json', 'ids', 'text'])
      .default('json'),
};

/** @param shared Options of every command that opens a graph. */
export function graphCommand(program: Command, shared: (command: Command) => Command, run: Run): void {
  const graph = program
    .command('graph')
    .description(
      'Asks the chunkedgraph server; answers are JSON Lines. `graph CALL --help` says what a call takes.',
    );
  for (const [name, call] of Object.entries(GRAPH_CALLS)) {
    const command = shared(
      graph
        .command(name)
        .description(`${call.about}.`)
        .argument('<cloudpath>', 'graphene://… or cave://DATASTACK'),
    );
    if (call.ids !== undefined) {
      command
        .argument('[ids...]', `each ${call.ids}`)
        .option(
          '--ids <file>',
          `the IDs, one a line or in a table: .csv, .tsv, .jsonl or .ndjson; - is standard input; repeats and 0 are left out`,
          text,
        )
        .option('--column <name>', `their column (default: ${call.ids}, or the only one that ends so)`, text)
        .addOption(
          new Option('--format <format>', 'format of the table (default: by suffix and content)').choices([
            'csv',
            'tsv',
            'jsonl',
          ]),
        )
        .option(
          '--delimiter <character>',
          "between its fields, such as ';' or tab (default: by format)",
          delimiter,
        );
    } else if (call.argument !== undefined) command.argument(`<${call.argument}>`);
    for (const option of call.options ?? [])
      command.addOption(OPTIONS[option]().makeOptionMandatory(call.needs?.includes(option) ?? false));
    command
      .option('--out <file>', 'written as FILE.partial first; - is standard output', '-')
      .addHelpText('after', call.ids === undefined ? '' : ID_HELP);
    const idsOrArgument = (given: unknown): string[] =>
      Array.isArray(given) ? (given as string[]) : typeof given === 'string' ? [given] : [];
    command.action((path: string, given: unknown) =>
      run(name, path, idsOrArgument(given), command.opts<GraphCommandFlags>()),
    );
  }
}

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
