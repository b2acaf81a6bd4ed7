/** Defines the flags of `graphene-points serve`. */
import { Option } from 'commander';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { VOLUME_PATH_HELP, type DefineCommand } from '../command.ts';
import { parseNamedPath, parseNamedVoxelSize, parseText, parseWholeNumber } from '../option-values.ts';
import { markRepeatable } from '../repeats.ts';
import type { ServeFlags } from '../run-serve.ts';
import { addFlags } from '../table-flags.ts';
import { bucketFlags, watershedFlags } from './volume-options.ts';

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
    )
    .option('--host <address>', 'address to listen on', parseText, '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free port', parseWholeNumber(0), 8080);
  addFlags(watershedFlags(command), GRAPHENE_OPTIONS, ['resolution', 'lruBytes', 'cacheDir', 'cacheBytes']);
  bucketFlags(command).action(
    action(async (paths: string[], flags: ServeFlags) => {
      const { runServe } = await import('../run-serve.ts');
      return runServe(paths, flags, io, report);
    }),
  );
};
