/** The interface of the commands: what each command gets, and texts that several commands share. */
import type { Command } from 'commander';
import type { Io } from './io.ts';
import type { Report } from './report.ts';

/** What each command gets from `run`. */
export interface CommandContext {
  io: Io;
  report: Report;
  /**
   * Wraps the work of a command. `work` returns whether any row needs attention, which becomes exit code 1.
   */
  action: <Args extends unknown[]>(
    work: (...args: Args) => Promise<boolean | void>,
  ) => (...args: Args) => Promise<void>;
}

/**
 * Gives a command its arguments, flags and action. The action loads its modules when it runs, so that
 * `--help` stays fast.
 */
export type DefineCommand = (command: Command, surroundings: CommandContext) => unknown;

/** The help of a path to any volume. */
export const VOLUME_PATH_HELP =
  'graphene://… or cave://DATASTACK for supervoxels and roots; any other path for the values of a Precomputed volume, such as gs://BUCKET/PATH, https://… or a folder';
/** The help of a path to a graph. */
export const GRAPH_PATH_HELP = 'graphene://… or cave://DATASTACK';
