/** Runs `graphene-points update`: updates the roots of an earlier table to another timestamp. */
import { createUpdateLookup } from '../jobs/update-lookup.ts';
import { runIdCommand, type IdFlags } from './id-command.ts';
import type { Io } from './io.ts';
import type { Report } from './report.ts';

/** The flags of `update`. */
export interface UpdateFlags extends Omit<IdFlags, 'replace'> {
  in: string[];
}

/** Runs the command. @returns Whether any row needs attention. */
export const runUpdate = (path: string, flags: UpdateFlags, io: Io, report: Report): Promise<boolean> =>
  runIdCommand(
    {
      path,
      input: flags.in,
      inputOption: '--in',
      createLookup: (volume, timestamp) =>
        createUpdateLookup(
          {
            now: () => volume.now(),
            roots: (ids, options) => volume.roots(ids, options),
            isLatest: (ids, at, signal) =>
              volume.graph.isLatestRoots(ids, { timestamp: at, borrow: true, signal }),
          },
          { timestamp, columns: flags.column },
        ),
    },
    flags,
    io,
    report,
  );
