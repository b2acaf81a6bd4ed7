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
  columns?: [string, string, string];
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
  const positions = flags.columns ? [flags.columns] : flags.position;
  for (const name of ['resolution', 'mip', 'dataDir', 'voxelsAt'] as const)
    if (flags[name] !== undefined && positions === undefined)
      throw new TypeError(
        `${flagNames('--in')(name)} is for --position or --columns: without them, no voxel is read`,
      );
  return runIdCommand(
    {
      path,
      input: flags.in,
      inputOption: '--in',
      readsVoxels: positions !== undefined,
      createLookup: (volume, timestamp, warn) =>
        createUpdateLookup(
          {
            now: () => volume.now(),
            roots: (ids, options) => volume.roots(ids, options),
            isLatest: (ids, at, signal) =>
              volume.graph.isLatestRoots(ids, { timestamp: at, borrow: true, signal }),
            readPoints: (points, options) => volume.scatteredPoints(points, options),
          },
          { timestamp, columns: flags.column, positions, warn },
        ),
    },
    flags,
    io,
    report,
  );
};
