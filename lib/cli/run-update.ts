/** Runs `graphene-points update`: updates the roots of an earlier table to another timestamp. */
import { createUpdateLookup } from '../jobs/update-lookup.ts';
import { runIdCommand, type IdFlags } from './id-command.ts';
import { flagNames } from './flag-names.ts';
import type { Io } from './io.ts';
import type { Report } from './report.ts';

/** The flags of `update`. */
export interface UpdateFlags extends Omit<IdFlags, 'replace'> {
  in: string[];
  position?: string[];
  resolution?: unknown;
  mip?: number;
  dataDir?: string;
  voxelsAt?: string;
}

/** Runs the command. @returns Whether any row needs attention. */
export const runUpdate = async (
  path: string,
  flags: UpdateFlags,
  io: Io,
  report: Report,
): Promise<boolean> => {
  for (const name of ['resolution', 'mip', 'dataDir', 'voxelsAt'] as const)
    if (flags[name] !== undefined && flags.position === undefined)
      throw new TypeError(`${flagNames('--in')(name)} is for --position: without it, no voxel is read`);
  return runIdCommand(
    {
      path,
      input: flags.in,
      inputOption: '--in',
      readsVoxels: flags.position !== undefined,
      createLookup: (volume, timestamp, warn) =>
        createUpdateLookup(
          {
            now: () => volume.now(),
            roots: (ids, options) => volume.roots(ids, options),
            isLatest: (ids, at, signal) =>
              volume.graph.isLatestRoots(ids, { timestamp: at, borrow: true, signal }),
            readPoints: (points, options) => volume.scatteredPoints(points, options),
          },
          { timestamp, columns: flags.column, positions: flags.position, warn },
        ),
    },
    flags,
    io,
    report,
  );
};
