/**
 * Finds the token for a chunkedgraph server or another CAVE service: the `token` option, `CAVE_TOKEN`, or the
 * files that CAVEclient and CloudVolume use.
 *
 * Source: CAVEclient, caveclient/auth.py; CloudVolume, cloudvolume/secrets.py, `cave_credentials`.
 */
import { join } from 'node:path';
import { InfoError, PathError } from '../../base/errors.ts';
import { isLoopbackHost } from '../../base/public-address.ts';
import { registerSecret } from '../../base/secret-redaction.ts';
import { readFirstFile, secretsFolder } from '../../storage/secret-files.ts';
import type { Host } from './graph-path.ts';

/** A token and its source. */
export interface FoundToken {
  token: string;
  /** The source, for messages: `the token option`, `CAVE_TOKEN`, or the path of the file. */
  from: string;
  /** Whether it came with a request of somebody else, and is not a secret of this process. @default false */
  isGuest?: boolean;
}

/** Where to look for a token. */
export interface TokenSearch {
  /** A token; null to send none; undefined to search. */
  token?: string | null;
  env?: NodeJS.ProcessEnv;
  /**
   * The server that issues tokens, if the user named it. Its file comes after the file of the requested host.
   */
  authHost?: Host;
}

/** Returns the name of a host's token file. */
export const tokenFileName = ({ host }: Pick<Host, 'host'>): string => `${host}-cave-secret.json`;

/**
 * Returns the token files in the order of the search: the file of the host, that of the server that issues
 * its tokens, the one for any host, and one with an old name.
 */
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
 * Finds the token for a host. A token that was found in the environment or in a file is not sent over an
 * insecure connection: `warn` reports that.
 *
 * @throws InfoError BAD_INFO if a token file has no token, or if a token has characters that are not allowed
 *   in a header; PathError INSECURE_TOKEN if the `token` option has a token, and the server is reached
 *   neither over TLS nor on loopback.
 */
export async function findToken(
  path: Host,
  { token, env = process.env, authHost }: TokenSearch,
  warn: (message: string) => void,
): Promise<FoundToken | undefined> {
  if (token === null || token === '') return undefined;
  const found = await search(path, token, env, authHost);
  registerSecret(found?.token);
  // Other characters cannot be in a header, and the HTTP client's error would not name the source of the
  // token.
  if (found && !/^[\x20-\x7e]+$/.test(found.token))
    throw new InfoError(
      'BAD_INFO',
      `${found.from} contains characters that a token cannot have`,
      path.origin,
    );
  if (!found || mayReceiveToken(path)) return found;
  if (token !== undefined)
    throw new PathError(
      'INSECURE_TOKEN',
      `a token is sent over TLS or to loopback only, and ${path.origin} is neither; use https:// or token: null`,
    );
  warn(
    `the token from ${found.from} is not sent: ${path.origin} is reached neither over TLS nor on loopback`,
  );
  return undefined;
}

/** Whether a token may be sent to a host: it is reached over TLS, or it is this machine. */
export const mayReceiveToken = ({ origin, hostname }: Host): boolean =>
  origin.startsWith('https://') || isLoopbackHost(hostname);

async function search(
  path: Host,
  token: string | undefined,
  env: NodeJS.ProcessEnv,
  authHost: Host | undefined,
): Promise<FoundToken | undefined> {
  if (token !== undefined) return { token, from: 'the token option' };
  const fromEnv = env.CAVE_TOKEN?.trim();
  return fromEnv ? { token: fromEnv, from: 'CAVE_TOKEN' } : readTokenFiles(tokenFiles(path, env, authHost));
}

async function readTokenFiles(files: readonly string[]): Promise<FoundToken | undefined> {
  const found = await readFirstFile(
    files,
    (file, code) => new InfoError('BAD_INFO', `token file ${file} cannot be read (${code})`, file),
  );
  if (!found) return undefined;
  const token = parseToken(found.text);
  if (token === undefined)
    throw new InfoError('BAD_INFO', `token file ${found.file} does not contain {"token": "…"}`, found.file);
  return { token, from: found.file };
}

function parseToken(text: string): string | undefined {
  try {
    const { token } = JSON.parse(text) as { token?: unknown };
    return (typeof token === 'string' && token.trim()) || undefined;
  } catch {
    return undefined;
  }
}
