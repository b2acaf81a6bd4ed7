/** `graphene-points mock`: its flags. */
import { Option } from 'commander';
import type { DefineCommand } from '../command.ts';
import type { MockFlags } from '../run-mock.ts';
import { parseMaterialization, parseText, parseWholeNumber } from '../option-values.ts';
import { markRepeatable } from '../repeats.ts';
import { markRequired } from '../required.ts';

export const defineMockCommand: DefineCommand = (command, { io, action }) =>
  command
    .addOption(
      markRequired(new Option('--volume <folder>', 'Precomputed volume: the watershed').argParser(parseText)),
    )
    .option(
      '--graph <file>',
      'its graph as JSON: info, supervoxels, edges, edits (default: the volume alone)',
      parseText,
    )
    .option('--port <port>', '0 takes a free one', parseWholeNumber(0), 0)
    .option('--table <name>', "name of the graph in URLs (default: the file's, or mock)", parseText)
    .option('--token <token>', 'wanted by the graph server', parseText)
    .option('--bucket-token <token>', 'wanted by the bucket, as Authorization: Bearer', parseText)
    .option('--latency-ms <ms>', 'a wait before every answer', parseWholeNumber(0), 0)
    .option(
      '--cave',
      'with what a CAVE client asks first: auth, info and materializations of the datastack mock',
    )
    .addOption(
      markRepeatable(
        new Option(
          '--materialization <number=timestamp>',
          'of --cave: a materialization and its timestamp, such as 943=2024-06-05T10:10:01Z (repeatable)',
        ).argParser(parseMaterialization),
      ),
    )
    .addHelpText('after', MOCK_HELP)
    .action(
      action(async (flags: MockFlags) => {
        const { runMock: mock } = await import('../run-mock.ts');
        return mock(flags, io);
      }),
    );

const MOCK_HELP = `
The line has url, cloudpath, table, bucket, requests and faults, and with --cave datastack and server: open cave://mock with --server URL. GET requests is the log of all requests, DELETE forgets them; POST
faults has something go wrong, such as {"server": "graph", "match": "roots_binary", "times": 2, "status": 503}, and DELETE ends that.

Ends with 0 on SIGINT or SIGTERM. docs/testing.md says what a graph file holds.`;
