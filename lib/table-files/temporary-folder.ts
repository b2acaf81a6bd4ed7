/** Chooses the folder of the temporary files of a job. */
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { followLinks } from '../tables/files/output-file.ts';
import { isCloudOutput, localPath } from './output-path.ts';

/**
 * Returns the folder that is named, else `TMPDIR`, else the folder of the output file. Beside a device or a
 * FIFO there may be no room, or no permission; an output on a cloud path has no folder.
 *
 * @param out The output: a path, a cloud path, or - for standard output.
 */
export async function temporaryFolder(
  { tempDir, out }: { tempDir?: string; out: string },
  env: { readonly TMPDIR?: string },
): Promise<string> {
  const named = tempDir ?? (env.TMPDIR || undefined);
  if (named !== undefined || out === '-' || isCloudOutput(out)) return named ?? tmpdir();
  const path = localPath(out),
    found = await stat(path).catch(() => undefined);
  return found && !found.isFile() ? tmpdir() : dirname(await followLinks(path));
}
