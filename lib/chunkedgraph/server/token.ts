/**
 * Which token a chunkedgraph server, or another service of CAVE, gets: the one given, `CAVE_TOKEN`, or the files that CAVEclient and CloudVolume keep.
 * Source: CAVEclient, caveclient/auth.py; CloudVolume, cloudvolume/secrets.py, `cave_credentials`.
 */
import { join } from 'node:path';
import { InfoError, PathError } from '../../base/errors.ts';
import { isLoopbackHost } from '../../base/public-address.ts';
import { registerSecret } from '../../base/secret-redaction.ts';
import { readFirstFile, secretsFolder } from '../../storage/secret-files.ts';
import type { Host } from './graph-path.ts';

export interface FoundToken {
  token: string;
  /** Where it came from, for advice: `the token option`, `CAVE_TOKEN`, or the file's path. */
  from: string;
}

export interface TokenSearch {
  /** A token, null for none at all, undefined to search. */
  token?: string | null;
  env?: NodeJS.ProcessEnv;
  /** The server that makes the tokens, where the user named it: its own file comes after that of the host asked. */
  authHost?: Host;
}

export const tokenFileName = ({ host }: Pick<Host, 'host'>): string => `${host}-cave-secret.json`;

/** Files looked into, in order: of the host, of the one that makes its tokens, of any host, and one of an old name. */
export function tokenFiles(host: Host, env: NodeJS.ProcessEnv, authHost?: Host): string[] {
  const own = [host, ...(authHost ? [authHost] : [])].flatMap(({ hostname, host: port }) => [
    tokenFileName({ host: port }),
    tokenFileName({ host: hostname }),
  ]);
  return [...new Set([...own, 'cave-secret.json', 'chunkedgraph-secret.json'])].map((name) =>
    join(secretsFolder(env), name),
  );
}

/**
 * @throws InfoError BAD_INFO when a token file is there but holds no token, or a token holds what no header can; PathError INSECURE_TOKEN when a token was given for a
 *   server that is reached neither over TLS nor on loopback. A token merely found is then left at home, and `warn` is told.
 */
export async function findToken(
  path: Host,
  { token, env = process.env, authHost }: TokenSearch,
  warn: (message: string) => void,
): Promise<FoundToken | undefined> {
  if (token === null || token === '') return undefined;
  const found = await search(path, token, env, authHost);
  registerSecret(found?.token);
  // Anything else cannot be in a header, and the HTTP client's own complaint would not say where it came from.
  if (found && !/^[\x20-\x7e]+$/.test(found.token))
    throw new InfoError('BAD_INFO', `${found.from} holds characters that no token has`, path.origin);
  if (!found || path.origin.startsWith('https://') || isLoopbackHost(path.hostname)) return found;
  if (token !== undefined)
    throw new PathError(
      'INSECURE_TOKEN',
      `a token goes over TLS or to loopback only, and ${path.origin} is neither; use https:// or token: null`,
    );
  warn(
    `the token from ${found.from} is not sent: ${path.origin} is reached neither over TLS nor on loopback`,
  );
  return undefined;
}

async function search(
  path: Host,
  token: string | undefined,
  env: NodeJS.ProcessEnv,
  authHost: Host | undefined,
): Promise<FoundToken | undefined> {
  if (token !== undefined) return { token, from: 'the token option' };
  const fromEnv = env.CAVE_TOKEN?.trim();
  return fromEnv ? { token: fromEnv, from: 'CAVE_TOKEN' } : tokenOfFiles(tokenFiles(path, env, authHost));
}

async function tokenOfFiles(files: readonly string[]): Promise<FoundToken | undefined> {
  const found = await readFirstFile(
    files,
    (file, code) => new InfoError('BAD_INFO', `token file ${file} cannot be read (${code})`, file),
  );
  if (!found) return undefined;
  const token = tokenIn(found.text);
  if (token === undefined)
    throw new InfoError('BAD_INFO', `token file ${found.file} holds no {"token": "…"}`, found.file);
  return { token, from: found.file };
}

function tokenIn(text: string): string | undefined {
  try {
    const { token } = JSON.parse(text) as { token?: unknown };
    return (typeof token === 'string' && token.trim()) || undefined;
  } catch {
    return undefined;
  }
}
