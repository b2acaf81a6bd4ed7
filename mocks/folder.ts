/** The only file of the mocks that reads a disk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSource } from './bucket.ts';

/** A folder's files, each read when it is asked for. @param key Checked by the caller: relative, without `..`. */
export function folderFiles(folder: string): FileSource {
  return (key) => {
    try {
      return { bytes: readFileSync(join(folder, key)) };
    } catch (error) {
      if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  };
}
