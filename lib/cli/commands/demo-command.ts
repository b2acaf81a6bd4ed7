/** `graphene-points demo`. */
import type { Define } from '../command.ts';

export const define: Define = (command, { io, report, action }) =>
  command.action(
    action(async () => {
      const { demo } = await import('../demo.ts');
      return demo(io, report);
    }),
  );
