/**
 * Reads the files that contain credentials, mainly CloudVolume's.
 * Source: CloudVolume, cloudvolume/secrets.py, `google_credentials` and `aws_credentials`.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CredentialsError } from '../base/errors.ts';

/** A secret file and its content. */
export interface SecretFile {
  file: string;
  json: Readonly<Record<string, unknown>>;
}

/** Folder with the secrets of CAVEclient and CloudVolume. `CLOUD_VOLUME_DIR` replaces `~/.cloudvolume`. */
export const secretsFolder = (env: NodeJS.ProcessEnv): string =>
  join(env.CLOUD_VOLUME_DIR || join(homedir(), '.cloudvolume'), 'secrets');

/** Lists the secret files for a bucket in order: the file of this bucket, then the file for all buckets. */
export function secretFilePaths(bucket: string, vendor: 'google' | 'aws', env: NodeJS.ProcessEnv): string[] {
  const folder = secretsFolder(env);
  return [join(folder, `${bucket}-${vendor}-secret.json`), join(folder, `${vendor}-secret.json`)];
}

/**
 * Reads a text file in UTF-8, with or without a byte order mark, or in UTF-16 with one, as PowerShell writes
 * it.
 */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file);
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  return new TextDecoder(encoding).decode(bytes); // drops the mark
}

/**
 * Reads the first of the files that exists; undefined if none does.
 * @param unreadable Makes the error for a file that exists but cannot be read. Later files are not tried
 *   then.
 */
export async function readFirstFile(
  files: readonly string[],
  unreadable: (file: string, code: string | undefined) => Error,
): Promise<{ file: string; text: string } | undefined> {
  for (const file of files) {
    try {
      return { file, text: await readText(file) };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(file, code);
    }
  }
  return undefined;
}

/**
 * Reads the first of the files that exists as a JSON object; undefined if none does.
 * @throws CredentialsError BAD_CREDENTIALS if it cannot be read or does not contain a JSON object.
 */
export async function readFirstSecret(files: readonly string[]): Promise<SecretFile | undefined> {
  const found = await readFirstFile(
    files,
    (file, code) => new CredentialsError('BAD_CREDENTIALS', `${file} cannot be read (${code})`),
  );
  return found && { file: found.file, json: parseObject(found.text, found.file) };
}

/** Returns what each file contains now, or its error code. It changes when the credentials change. */
export const readContents = (files: readonly (string | undefined)[]): Promise<unknown[]> =>
  Promise.all(
    files.map(
      async (file) =>
        file && readFile(file, 'latin1').catch((error: unknown) => (error as NodeJS.ErrnoException).code),
    ),
  );

function parseObject(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {
    // reported below, without the message of the parser, which quotes the file
  }
  throw new CredentialsError('BAD_CREDENTIALS', `${file} does not contain a JSON object`);
}
