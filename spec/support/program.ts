import { join } from 'node:path';

/**
 * A program that a spec starts as a process: plain JavaScript, bundled once per run by
 * `testing/jest-setup.mjs`, which lists all of them.
 * @param path From the project's root, such as `lib/cli/main.ts`.
 */
export const program = (path: string): string =>
  join(process.env.SPEC_PROGRAMS!, path.replace(/\.ts$/, '.mjs'));
