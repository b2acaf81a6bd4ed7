/** Reads and writes the files of a folder. No other file of the mocks writes to a disk. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SUFFIXES, type FileSource, type StoredFile } from './stored-file.ts';

/**
 * The files of a folder. Each is read when it is requested. The caller has checked that keys are relative and
 * have no `..`.
 */
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
 * Writes files below a folder and creates the folder if needed. A file with a Content-Encoding gets the
 * suffix `.gz`, `.br` or `.zstd`, as CloudVolume writes and reads it.
 *
 * @param files Contents by key, such as `BuiltPrecomputed.files`.
 * @throws RangeError for a key that would leave the folder, or a Content-Encoding that has no suffix.
 */
export function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | StoredFile>>): void {
  for (const [key, file] of Object.entries(files)) {
    const { bytes, contentEncoding }: StoredFile = file instanceof Uint8Array ? { bytes: file } : file;
    const suffix = SUFFIXES.find(([, encoding]) => encoding === contentEncoding)?.[0];
    if (suffix === undefined)
      throw new RangeError(`${key}: there is no suffix for the Content-Encoding ${contentEncoding}`);
    if (key.startsWith('/') || key.split(/[\\/]/).includes('..'))
      throw new RangeError(`${key} is not below the folder`);
    const path = join(folder, key + suffix);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}
