/** Defines the flags of `graphene-points serve`. */
import { Option } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { addAccessFlags } from '../access-flags.ts';
import { VOLUME_PATH_HELP, type DefineCommand } from '../command.ts';
import { parseNamedPath, parseNamedVoxelSize } from '../option-values.ts';
import { SERVICE_LIMITS, SERVICE_OPTIONS } from '../../serve/service-options.ts';
import { markRepeatable } from '../repeats.ts';
import type { ServeFlags } from '../run-serve.ts';
import { addFlags } from '../table-flags.ts';
import { bucketFlags, speedFlags, watershedFlags } from './volume-options.ts';

export const defineServeCommand: DefineCommand = (command, { io, report, action }) => {
  command
    .argument('[paths...]', `volumes to serve, each under the last part of its path: ${VOLUME_PATH_HELP}`)
    .addOption(
      markRepeatable(
        new Option(
          '--name <name=path>',
          'a volume to serve, and its name in URLs; may be repeated',
        ).argParser(parseNamedPath),
      ),
    )
    .addOption(
      markRepeatable(
        new Option(
          '--voxel-size <name=x,y,z>',
          'nanometres per unit of the positions that clients of the transform service send for a volume (default: what they know its name for, else its mip 0); may be repeated',
        ).argParser(parseNamedVoxelSize),
      ),
    );
  addFlags(command, SERVICE_OPTIONS, ['host', 'port']);
  addAccessFlags(command.optionsGroup('Who may ask:'));
  addFlags(command.optionsGroup('Limits:'), SERVICE_LIMITS, [
    'maxBodyBytes',
    'maxPoints',
    'maxPointsAtOnce',
    'maxRequests',
    'maxQueued',
    'maxConnections',
    'bodyTimeoutMs',
    'stallMs',
    'drainMs',
  ]);
  watershedFlags(command.optionsGroup('Volumes:'));
  addFlags(command, GRAPHENE_OPTIONS, ['resolution', 'mip', 'timestamp']);
  bucketFlags(command.optionsGroup('Bucket:'));
  speedFlags(command.optionsGroup('Speed, memory and disk:'), {
    lruBytes: { default: '128MiB for each volume' },
    timeoutMs: { says: TIMEOUT },
  });
  command.addHelpText('after', SERVE_HELP).action(
    action(async (paths: string[], flags: ServeFlags) => {
      const { runServe } = await import('../run-serve.ts');
      return runServe(paths, flags, io, report);
    }),
  );
};

const TIMEOUT =
  'deadline for opening each volume, and for each call; rows without an answer by then have failed';

const SERVE_HELP = `
One line of JSON is printed, with the keys url and volumes. GET /v1/openapi.json describes the API:

  curl -H 'Content-Type: application/json' -d '{"points": [[1, 2, 3]]}' URL/v1/NAME/points

SIGINT or SIGTERM ends the command, with exit code 0: it takes no more requests, and answers those
that run. docs/serve.md says more.`;
