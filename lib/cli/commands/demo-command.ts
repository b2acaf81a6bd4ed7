/** Defines `graphene-points demo`, which has no arguments. */
import type { DefineCommand } from '../command.ts';

export const defineDemoCommand: DefineCommand = (command, { io, report, action }) =>
  command.action(
    action(async () => {
      const { runDemo } = await import('../run-demo.ts');
      return runDemo(io, report);
    }),
  );
