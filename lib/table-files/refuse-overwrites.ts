/** Refuses files of one run that would overwrite each other. */
import { fstatSync, lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TableError } from '../base/errors.ts';
import { followLinks, partialPath } from '../tables/files/output-file.ts';

/** A file or a stream that a run reads or writes. */
export interface NamedFile {
  /** The name in messages: `--out out.csv`, `standard output`. */
  displayName: string;
  /** Identifies the file, whether it exists or not; undefined if it is not a regular file. */
  id: string | undefined;
}

/** An output of a run. */
export interface NamedOutput extends NamedFile {
  /** The path of a file of this machine. */
  path: string | undefined;
  /** Whether it may replace the only input: the new table replaces it when it is complete. */
  mayReplaceInput: boolean;
}

/** What a run reads and writes. */
export interface FilesOfRun {
  read: readonly NamedFile[];
  written: readonly NamedOutput[];
  /** Streams that may be redirected to a file. */
  streams: readonly NamedFile[];
  /** A stream that the table is written to, and how a file is named instead. */
  direct: { stream: NamedFile; advice: string } | undefined;
}

/** Checks all files of a run. @throws TableError BAD_TABLE_PATH. */
export async function refuseOverwrites({ read, written, streams, direct }: FilesOfRun): Promise<void> {
  for (const [k, { displayName, id, path, mayReplaceInput }] of written.entries()) {
    const partial = path === undefined ? undefined : fileId(partialPath(await followLinks(path)), lstatSync);
    for (const other of [...read, ...written.slice(0, k), ...streams]) {
      if (other.id === undefined) continue;
      const inPlace = mayReplaceInput && read.length === 1 && read.includes(other);
      if (other.id === partial)
        refuse(
          `${other.displayName} is the file that ${displayName} is written to until it is complete: rename it first`,
        );
      if (other.id === id && !inPlace)
        refuse(`${displayName} would overwrite ${other.displayName}: they are the same file`);
    }
  }
  const [first] = read as readonly (NamedFile | undefined)[];
  if (direct && first?.id !== undefined && first.id === direct.stream.id)
    refuse(`${direct.stream.displayName} is ${first.displayName}: ${direct.advice}`);
}

function refuse(message: string): never {
  throw new TableError('BAD_TABLE_PATH', message);
}

/** The suffixes of the files that a run makes next to its output. */
const RESERVED_SUFFIX = /\.(partial|lock)$/;

/** Describes an output file of this machine. @throws TableError BAD_TABLE_PATH for a reserved suffix. */
export async function namedOutput(
  option: string,
  path: string,
  mayReplaceInput: boolean,
): Promise<NamedOutput> {
  const displayName = `${option} ${path}`;
  if (RESERVED_SUFFIX.test(path))
    refuse(`${displayName} has a suffix that is reserved for files of a running job: choose another name`);
  return { displayName, id: await outputId(path), path, mayReplaceInput };
}

const regularFileId = (stats: Stats | undefined): string | undefined =>
  stats?.isFile() ? `${stats.dev}:${stats.ino}` : undefined;

/** Identifies a file that exists. @param read Whether a link is followed: `statSync`, or not: `lstatSync`. */
export function fileId(
  path: string,
  read: (path: string, options: { throwIfNoEntry: false }) => Stats | undefined = statSync,
): string | undefined {
  try {
    return regularFileId(read(path, { throwIfNoEntry: false }));
  } catch {
    return undefined; // opening it reports the error
  }
}

/** Identifies an output file, also if it does not exist yet. */
async function outputId(path: string): Promise<string | undefined> {
  const present = fileId(path);
  if (present !== undefined) return present;
  try {
    if (statSync(path, { throwIfNoEntry: false })) return undefined; // a FIFO or a device
    const target = await followLinks(path);
    return join(realpathSync(dirname(target)), basename(target));
  } catch {
    return undefined;
  }
}

/** Identifies the file that a stream is redirected to or from. */
export function streamId(stream: object): string | undefined {
  const { fd } = stream as { fd?: unknown };
  if (typeof fd !== 'number') return undefined;
  try {
    return regularFileId(fstatSync(fd));
  } catch {
    return undefined;
  }
}
