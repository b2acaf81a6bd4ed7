/** Chooses the folder of the temporary files of a job. */
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { followLinks } from '../tables/files/output-file.ts';

/**
 * Returns the folder that is named, else `TMPDIR`, else the folder of the output file. Beside a device or a
 * FIFO there may be no room, or no permission.
 *
 * @param out The output: a path, or - for standard output.
 */
export async function temporaryFolder(
  { tempDir, out }: { tempDir?: string; out: string },
  env: { readonly TMPDIR?: string },
): Promise<string> {
  const named = tempDir ?? (env.TMPDIR || undefined);
  if (named !== undefined || out === '-') return named ?? tmpdir();
  const found = await stat(out).catch(() => undefined);
  return found && !found.isFile() ? tmpdir() : dirname(await followLinks(out));
}
