/** Keeps a token where CAVEclient, CloudVolume and this package look for it. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InfoError } from '../base/errors.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import { tokenFileName } from '../chunkedgraph/server/token.ts';
import { readText, secretsFolder } from '../storage/secret-files.ts';

/** Where a person makes a token. Source: CAVEclient, caveclient/endpoints.py, `create_token`. */
export const newTokenPage = ({ origin }: Host): string => `${origin}/auth/api/v1/create_token`;

/** Where a person sees those made before. Source: the same, `user_tokens_page`. */
export const tokenListPage = ({ origin }: Host): string => `${origin}/sticky_auth/settings/tokens`;

/**
 * Writes the token to the server's own file, and to the common one where there is none yet, each with mode 0600; what else is in them stays.
 * @returns the files written.
 * @throws InfoError BAD_INFO when a file is there and is no JSON object; the error of the file system.
 */
export async function saveToken(host: Host, token: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const folder = secretsFolder(env);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const common = join(folder, 'cave-secret.json');
  const files = [join(folder, tokenFileName(host)), ...((await isThere(common)) ? [] : [common])];
  for (const file of files) await write(file, token);
  return files;
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

async function write(file: string, token: string): Promise<void> {
  const secrets = await present(file);
  // Whole or not at all, and never readable by others, not even for a moment.
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, `${JSON.stringify({ ...secrets, token })}\n`, { mode: 0o600, flag: 'wx' });
    await chmod(temporary, 0o600);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function present(file: string): Promise<object> {
  let text: string;
  try {
    text = await readText(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // told below
  }
  throw new InfoError(
    'BAD_INFO',
    `${file} is there and holds no JSON object: move it away, then try again`,
    file,
  );
}
