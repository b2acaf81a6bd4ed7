/** `graphene-points login`: its argument. */
import type { Define } from '../command.ts';

export const define: Define = (command, { io, report, action }) =>
  command.argument('[server]', 'https://HOST (default: https://global.daf-apis.com)').action(
    action(async (server: string | undefined) => {
      const { login } = await import('../login.ts');
      return login(server, io, report);
    }),
  );
