/** Defines the argument of `graphene-points login`. */
import type { DefineCommand } from '../command.ts';

export const defineLoginCommand: DefineCommand = (command, { io, report, action }) =>
  command.argument('[server]', 'the CAVE server, https://HOST (default: https://global.daf-apis.com)').action(
    action(async (server: string | undefined) => {
      const { runLogin } = await import('../run-login.ts');
      return runLogin(server, io, report);
    }),
  );
