/** `graphene-points mock`: its flags. */
import { Option } from 'commander';
import type { Define } from '../command.ts';
import type { MockFlags } from '../mock.ts';
import { materialization, text, wholeNumber } from '../option-values.ts';
import { mayRepeat } from '../repeats.ts';
import { required } from '../required.ts';

export const define: Define = (command, { io, action }) =>
  command
    .addOption(required(new Option('--volume <folder>', 'Precomputed volume: the watershed').argParser(text)))
    .option(
      '--graph <file>',
      'its graph as JSON: info, supervoxels, edges, edits (default: the volume alone)',
      text,
    )
    .option('--port <port>', '0 takes a free one', wholeNumber(0), 0)
    .option('--table <name>', "name of the graph in URLs (default: the file's, or mock)", text)
    .option('--token <token>', 'wanted by the graph server', text)
    .option('--bucket-token <token>', 'wanted by the bucket, as Authorization: Bearer', text)
    .option('--latency-ms <ms>', 'a wait before every answer', wholeNumber(0), 0)
    .option(
      '--cave',
      'with what a CAVE client asks first: auth, info and materializations of the datastack mock',
    )
    .addOption(
      mayRepeat(
        new Option(
          '--materialization <number=timestamp>',
          'of --cave: a materialization and its timestamp, such as 943=2024-06-05T10:10:01Z (repeatable)',
        ).argParser(materialization),
      ),
    )
    .addHelpText('after', MOCK_HELP)
    .action(
      action(async (flags: MockFlags) => {
        const { mock } = await import('../mock.ts');
        return mock(flags, io);
      }),
    );

const MOCK_HELP = `
The line has url, cloudpath, table, bucket, requests and faults, and with --cave datastack and server: open cave://mock with --server URL. GET requests is the log of all requests, DELETE forgets them; POST
faults has something go wrong, such as {"server": "graph", "match": "roots_binary", "times": 2, "status": 503}, and DELETE ends that.

Ends with 0 on SIGINT or SIGTERM. docs/testing.md says what a graph file holds.`;
