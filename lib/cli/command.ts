/** What a command of the command line is: its arguments and flags, and what it does. */
import type { Command } from 'commander';
import type { Io } from './io.ts';
import type { Report } from './report.ts';

export interface CommandContext {
  io: Io;
  report: Report;
  /** An action: `work` says whether any row needs attention. */
  action: <Args extends unknown[]>(
    work: (...args: Args) => Promise<boolean | void>,
  ) => (...args: Args) => Promise<void>;
}

/** Gives a command its arguments, flags and action. What the action needs is loaded when it is taken. */
export type DefineCommand = (command: Command, surroundings: CommandContext) => unknown;

export const VOLUME_PATH_HELP =
  'graphene://… or cave://DATASTACK for supervoxels and roots; any other path for the values of a Precomputed volume';
export const GRAPH_PATH_HELP = 'graphene://… or cave://DATASTACK';
