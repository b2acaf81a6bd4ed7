/** Saves a token in the files where CAVEclient, CloudVolume and this package look for it. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InfoError } from '../base/errors.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import { tokenFileName } from '../chunkedgraph/server/token.ts';
import { readText, secretsFolder } from '../storage/secret-files.ts';

/**
 * Returns the page on which a user makes a token. Source: CAVEclient, caveclient/endpoints.py,
 * `create_token`.
 */
export const newTokenPage = ({ origin }: Host): string => `${origin}/auth/api/v1/create_token`;

/**
 * Returns the page that lists a user's tokens. Source: CAVEclient, caveclient/endpoints.py,
 * `user_tokens_page`.
 */
export const tokenListPage = ({ origin }: Host): string => `${origin}/sticky_auth/settings/tokens`;

/**
 * Writes the token to the server's own file, and to the common file if that does not exist yet. The files get
 * mode 0600. Their other content is kept.
 * @returns The files that were written.
 * @throws InfoError BAD_INFO if a file exists and is not a JSON object; the error of the file system.
 */
export async function saveToken(host: Host, token: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const folder = secretsFolder(env);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const common = join(folder, 'cave-secret.json');
  const files = [join(folder, tokenFileName(host)), ...((await exists(common)) ? [] : [common])];
  for (const file of files) await write(file, token);
  return files;
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

async function write(file: string, token: string): Promise<void> {
  const secrets = await readSecrets(file);
  // The file is replaced as a whole, and is never readable by others, not even for an instant.
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

async function readSecrets(file: string): Promise<object> {
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
    // reported below
  }
  throw new InfoError('BAD_INFO', `${file} exists and is not a JSON object: move it away, then retry`, file);
}
