/** Runs `graphene-points roots`: looks up the roots of the supervoxels of a table. */
import { ROOT_OPTIONS } from '../graphene/reading-options.ts';
import type { RootOptions } from '../graphene/option-types.ts';
import { createRootLookup } from '../jobs/root-lookup.ts';
import { runIdCommand, type IdFlags } from './id-command.ts';
import type { Io } from './io.ts';
import type { Report } from './report.ts';
import { optionsFromFlags } from './options-from-flags.ts';

/** The flags of `roots`. */
export interface RootFlags extends IdFlags {
  ids: string[];
}

/** Runs the command. @returns Whether any row needs attention. */
export const runRoots = (path: string, flags: RootFlags, io: Io, report: Report): Promise<boolean> => {
  const { stopLayer, validate } = optionsFromFlags<RootOptions>(ROOT_OPTIONS, flags);
  return runIdCommand(
    {
      path,
      input: flags.ids,
      createLookup: (volume, timestamp) =>
        createRootLookup(volume, { timestamp, columns: flags.column, stopLayer, validate }),
    },
    flags,
    io,
    report,
  );
};
