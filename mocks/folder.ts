/** The only file of the mocks that reads and writes a disk. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SUFFIXES, type FileSource, type StoredFile } from './stored-file.ts';

/** A folder's files, each read when it is asked for. @param key Checked by the caller: relative, without `..`. */
export function folderFiles(folder: string): FileSource {
  return (key) => {
    try {
      return { bytes: readFileSync(join(folder, key)) };
    } catch (error) {
      if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
        return undefined;
      throw error;
    }
  };
}

/**
 * Writes files below a folder, which is made: as CloudVolume does and reads, `NAME.gz`, `.br`, `.zstd` for what has a Content-Encoding.
 *
 * @throws RangeError for a key that would leave the folder, or a Content-Encoding without a suffix
 */
export function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | StoredFile>>): void {
  for (const [key, file] of Object.entries(files)) {
    const { bytes, contentEncoding }: StoredFile = file instanceof Uint8Array ? { bytes: file } : file;
    const suffix = SUFFIXES.find(([, encoding]) => encoding === contentEncoding)?.[0];
    if (suffix === undefined) throw new RangeError(`${key}: no suffix stands for ${contentEncoding}`);
    if (key.startsWith('/') || key.split(/[\\/]/).includes('..'))
      throw new RangeError(`${key} is not below the folder`);
    const path = join(folder, key + suffix);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}
