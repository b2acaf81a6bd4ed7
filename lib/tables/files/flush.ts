/** Flushes files to the disk, where the file system can. */
import type { FileHandle } from 'node:fs/promises';

/**
 * Flushes a file to the disk, so that a crash of the machine cannot leave an empty file under the new name.
 */
export async function flushHandle(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (!CANNOT_FLUSH.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Error codes of file systems that cannot flush. */
const CANNOT_FLUSH = new Set(['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);
