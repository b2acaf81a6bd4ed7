/** `graphene-points roots`: roots of supervoxels that are known already. */
import { ROOT_OPTIONS } from '../graphene/reading-options.ts';
import type { RootOptions } from '../graphene/options.ts';
import { rootQuestion } from '../jobs/roots.ts';
import { runIdCommand, type IdFlags } from './id-command.ts';
import type { Io } from './io.ts';
import type { Report } from './report.ts';
import { given } from './given.ts';

export interface RootFlags extends IdFlags {
  ids: string;
}

/** @returns whether any row needs attention. */
export const roots = (path: string, flags: RootFlags, io: Io, report: Report): Promise<boolean> => {
  const { stopLayer, validate } = given<RootOptions>(ROOT_OPTIONS, flags);
  return runIdCommand(
    {
      path,
      input: flags.ids,
      question: (volume, timestamp) =>
        rootQuestion(volume, { timestamp, columns: flags.column, stopLayer, validate }),
    },
    flags,
    io,
    report,
  );
};
