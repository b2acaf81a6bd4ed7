/** What an input file was when a job was made, so that a later run notices a change. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { JobError } from '../base/errors.ts';
import type { JobInputFile } from './job-plan.ts';
import { formatSize } from '../spill/temporary-file.ts';
import { ioError } from '../tables/files/byte-streams.ts';

/** This many bytes at both ends of a file are compared. */
const END_BYTES = 2 ** 16;

/**
 * Describes a regular file.
 * @param name Its name in messages.
 * @throws TableError UNREADABLE.
 */
export async function describeInput(name: string, path: string): Promise<JobInputFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { size, mtimeNs } = await handle.stat({ bigint: true });
    const hash = createHash('sha256'),
      bytes = Number(size);
    for (const start of [0, Math.max(0, bytes - END_BYTES)]) {
      const part = Buffer.alloc(Math.min(END_BYTES, bytes));
      const { bytesRead } = await handle.read(part, 0, part.length, start);
      hash.update(part.subarray(0, bytesRead));
    }
    return { name, path: resolve(path), bytes, modified: String(mtimeNs), ends: hash.digest('hex') };
  } catch (error) {
    throw ioError('read', path, error);
  } finally {
    await handle?.close();
  }
}

/** Checks that inputs are what they were. @throws JobError INPUT_CHANGED; TableError UNREADABLE. */
export async function requireSameInputs(inputs: readonly JobInputFile[]): Promise<void> {
  for (const was of inputs) {
    const is = await describeInput(was.name, was.path);
    if (is.bytes === was.bytes && is.modified === was.modified && is.ends === was.ends) continue;
    throw new JobError(
      'INPUT_CHANGED',
      `${was.path} has changed since the job was made: it was ${described(was)}, and is ${described(is)}; make a new job for it`,
    );
  }
}

/** Describes a file for people, with its whole size: a change may be one byte. */
const described = ({ bytes, modified, ends }: JobInputFile): string =>
  `${bytes.toLocaleString('en-US')} bytes (${formatSize(bytes)}) of ${new Date(Number(BigInt(modified) / 1_000_000n)).toISOString()}, with the digest ${ends.slice(0, 8)}`;
