/** `graphene-points update`: roots of an earlier table at another moment. */
import { createUpdateLookup } from '../jobs/update-lookup.ts';
import { runIdCommand, type IdFlags } from './id-command.ts';
import type { Io } from './io.ts';
import type { Report } from './report.ts';

export interface UpdateFlags extends Omit<IdFlags, 'replace'> {
  in: string;
}

/** @returns whether any row needs attention. */
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
