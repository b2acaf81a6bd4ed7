/** Makes folders for the temporary files of one table. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ioError } from './byte-streams.ts';

/**
 * Makes a new folder. The caller removes it.
 *
 * @param parent @default the folder of the system for temporary files
 * @throws TableError UNREADABLE.
 */
export async function makeScratchFolder(parent: string = tmpdir()): Promise<string> {
  const start = join(parent, 'graphene-points-');
  return mkdtemp(start).catch((error: unknown) => {
    throw ioError('written', start, error);
  });
}
