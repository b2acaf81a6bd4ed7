/** Defines the flags of `graphene-points mock`. */
import { Option } from 'commander';
import type { DefineCommand } from '../command.ts';
import type { MockFlags } from '../run-mock.ts';
import { parseMaterialization, parseText, parseWholeNumber } from '../option-values.ts';
import { markRepeatable } from '../repeats.ts';
import { markRequired } from '../required.ts';

export const defineMockCommand: DefineCommand = (command, { io, action }) =>
  command
    .addOption(
      markRequired(
        new Option('--volume <folder>', 'Precomputed volume to serve: the watershed of the graph').argParser(
          parseText,
        ),
      ),
    )
    .option(
      '--graph <file>',
      'JSON file with the graph: info, supervoxels, edges and edits (default: serve the volume alone)',
      parseText,
    )
    .option('--port <port>', 'port to listen on; 0 takes a free port', parseWholeNumber(0), 0)
    .option(
      '--table <name>',
      'name of the table in URLs (default: the name in the graph file, or mock)',
      parseText,
    )
    .option('--token <token>', 'token that the graph server requires', parseText)
    .option('--bucket-token <token>', 'token that the bucket requires, as Authorization: Bearer', parseText)
    .option('--latency-ms <ms>', 'delay before each answer, in milliseconds', parseWholeNumber(0), 0)
    .option(
      '--cave',
      'also serve the CAVE services that a client needs: auth, info and materializations, for a datastack named mock',
    )
    .addOption(
      markRepeatable(
        new Option(
          '--materialization <number=timestamp>',
          'with --cave: a materialization and its timestamp, such as 943=2024-06-05T10:10:01Z; may be repeated',
        ).argParser(parseMaterialization),
      ),
    )
    .addHelpText('after', MOCK_HELP)
    .action(
      action(async (flags: MockFlags) => {
        const { runMock } = await import('../run-mock.ts');
        return runMock(flags, io);
      }),
    );

const MOCK_HELP = `
The line that is printed has the keys url, cloudpath, table, bucket, requests and faults. With
--cave it also has datastack and server: open cave://mock with --server URL.

GET on the requests URL returns the log of all requests, and DELETE clears it. POST to the faults
URL makes requests fail, for example with {"server": "graph", "match": "roots_binary", "times": 2,
"status": 503}, and DELETE removes all faults.

The command ends with exit code 0 on SIGINT or SIGTERM. docs/testing.md describes the graph file.`;
