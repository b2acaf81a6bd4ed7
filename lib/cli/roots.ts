/** `graphene-points roots`: roots of supervoxels that are known already. */
import { rootQuestion } from '../jobs/roots.ts';
import { runIdCommand, type IdFlags } from './id-command.ts';
import type { Io } from './io.ts';
import type { Report } from './report.ts';

export interface RootFlags extends IdFlags {
  ids: string;
  stopLayer?: number;
  validate?: boolean;
}

/** @returns whether any row needs attention. */
export const roots = (path: string, flags: RootFlags, io: Io, report: Report): Promise<boolean> =>
  runIdCommand(
    {
      path,
      input: flags.ids,
      question: (volume, timestamp) =>
        rootQuestion(volume, {
          timestamp,
          columns: flags.column,
          stopLayer: flags.stopLayer,
          validate: flags.validate,
        }),
    },
    flags,
    io,
    report,
  );
