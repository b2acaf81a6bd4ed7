/** Runs `graphene-points latest`: looks up what became of the roots of a table. */
import { createLatestLookup } from '../jobs/latest-lookup.ts';
import { runIdCommand, type IdFlags } from './id-command.ts';
import type { Io } from './io.ts';
import type { Report } from './report.ts';

/** The flags of `latest`. */
export interface LatestFlags extends IdFlags {
  ids: string[];
  by?: 'level2' | 'supervoxels';
}

/** Runs the command. @returns Whether any row needs attention. */
export const runLatest = (path: string, flags: LatestFlags, io: Io, report: Report): Promise<boolean> =>
  runIdCommand(
    {
      path,
      input: flags.ids,
      votes: true,
      createLookup: (volume, timestamp) =>
        createLatestLookup(
          {
            now: () => volume.now(),
            isLatest: (ids, at, signal) =>
              volume.graph.isLatestRoots(ids, { timestamp: at, borrow: true, signal }),
            suggest: (ids, at, signal) =>
              volume.graph.suggestLatestRoots(ids, { timestamp: at, by: flags.by, signal }),
          },
          { timestamp, columns: flags.column },
        ),
    },
    flags,
    io,
    report,
  );
