/**
 * The files that credentials are kept in, CloudVolume's above all.
 * Source: CloudVolume, cloudvolume/secrets.py, `google_credentials` and `aws_credentials`.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CredentialsError } from '../base/errors.ts';

export interface SecretFile {
  file: string;
  json: Readonly<Record<string, unknown>>;
}

/** Where CAVEclient and CloudVolume keep secrets. `CLOUD_VOLUME_DIR` stands for `~/.cloudvolume`. */
export const secretsFolder = (env: NodeJS.ProcessEnv): string =>
  join(env.CLOUD_VOLUME_DIR || join(homedir(), '.cloudvolume'), 'secrets');

/** In order: the bucket's own file, then the one for all. */
export function secretFilePaths(bucket: string, vendor: 'google' | 'aws', env: NodeJS.ProcessEnv): string[] {
  const folder = secretsFolder(env);
  return [join(folder, `${bucket}-${vendor}-secret.json`), join(folder, `${vendor}-secret.json`)];
}

/** The text of a file that an editor may have written with a byte order mark, in UTF-8 or, as Windows' shell does, in UTF-16. */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file);
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  return new TextDecoder(encoding).decode(bytes); // the mark is left out
}

/**
 * The first of the files that is there.
 * @param unreadable The error for one that is there and cannot be read; a later file is not a substitute then.
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
 * What the first of the files holds.
 * @throws CredentialsError BAD_CREDENTIALS when it cannot be read or holds no JSON object.
 */
export async function readFirstSecret(files: readonly string[]): Promise<SecretFile | undefined> {
  const found = await readFirstFile(
    files,
    (file, code) => new CredentialsError('BAD_CREDENTIALS', `${file} cannot be read (${code})`),
  );
  return found && { file: found.file, json: objectIn(found.text, found.file) };
}

/** What is in the files now, or why that cannot be read: somebody else's credentials, another answer. */
export const readContents = (files: readonly (string | undefined)[]): Promise<unknown[]> =>
  Promise.all(
    files.map(
      async (file) =>
        file && readFile(file, 'latin1').catch((error: unknown) => (error as NodeJS.ErrnoException).code),
    ),
  );

function objectIn(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {
    // told below; the parser's own words quote the file
  }
  throw new CredentialsError('BAD_CREDENTIALS', `${file} holds no JSON object`);
}
