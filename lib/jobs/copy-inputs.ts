/** Copies the inputs of a job that can be read once only, or that another machine may change, into its folder. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { JobFolder } from './job-folder.ts';
import { ioError, readFileBytes, readInputStream } from '../tables/files/byte-streams.ts';
import { flushHandle } from '../tables/files/flush.ts';
import type { TablePath } from '../table-files/cloud-input.ts';

/** Returns the file that each table is read from. @throws TableError UNREADABLE. */
export async function copyInputs(
  tables: readonly TablePath[],
  folder: JobFolder,
  { stdin, signal }: { stdin: Readable; signal: AbortSignal },
): Promise<{ name: string; path: string }[]> {
  const files: { name: string; path: string }[] = [];
  for (const [k, table] of tables.entries()) {
    const { name } = table;
    if (!table.open && name !== '-' && !(await isStream(name))) {
      files.push({ name, path: name });
      continue;
    }
    await mkdir(folder.copies, { recursive: true, mode: 0o700 });
    // The name keeps its suffix, which may tell the format.
    const path = join(folder.copies, `${k}-${name === '-' ? 'standard-input' : basename(name)}`);
    const input = table.open?.(signal, folder.copies);
    try {
      await copy(
        input ? input.bytes() : name === '-' ? readInputStream(stdin, signal) : readFileBytes(name, signal),
        path,
        signal,
      );
    } finally {
      await input?.close();
    }
    files.push({ name: name === '-' ? 'standard input' : name, path });
  }
  return files;
}

/** Whether a path names something that is not a regular file. A missing file is reported when it is read. */
const isStream = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() === false;

async function copy(bytes: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(bytes, createWriteStream(path, { mode: 0o600 }), { signal });
    const handle = await open(path, 'r+');
    await flushHandle(handle).finally(() => handle.close());
  } catch (error) {
    // Errors of the system are of the copy: the source gives its own a name.
    throw (error as NodeJS.ErrnoException).errno === undefined ? error : ioError('written', path, error);
  }
}
