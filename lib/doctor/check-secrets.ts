/** Checks the folder of secrets: which files it has, and whether other users can read them. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readText, secretsFolder } from '../storage/secret-files.ts';
import { ok, warn, type Findings } from './findings.ts';

/** Source: CAVEclient, caveclient/auth.py; CloudVolume, cloudvolume/secrets.py. */
const SECRET = /(?:^|-)(?:cave|chunkedgraph|google|aws)-secret\.json$/;
const LOGIN_ADVICE = 'graphene-points login saves a token there';

/** Yields a finding about the folder, then one about each file with a problem. */
export async function* checkSecrets(
  env: NodeJS.ProcessEnv,
  windows = process.platform === 'win32',
): Findings {
  const folder = secretsFolder(env);
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => SECRET.test(name)).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return yield warn(
      'secrets',
      code === 'ENOENT' ? `${folder} does not exist` : `${folder} cannot be read (${code})`,
      LOGIN_ADVICE,
    );
  }
  if (names.length === 0) return yield warn('secrets', `${folder} holds no secrets`, LOGIN_ADVICE);
  yield ok('secrets', `${folder} holds ${names.join(', ')}`);
  const folderMode = windows ? false : await readSharedMode(folder);
  if (folderMode)
    yield warn(
      'secrets',
      `other users can open ${folder} (mode ${folderMode})`,
      `chmod 700 ${quoted(folder)}`,
    );
  for (const name of names) {
    const file = join(folder, name);
    const mode = windows ? false : await readSharedMode(file);
    if (mode)
      yield warn('secrets', `other users can read ${file} (mode ${mode})`, `chmod 600 ${quoted(file)}`);
    if (!(await holdsObject(file)))
      yield warn('secrets', `${file} does not hold a JSON object`, 'move it away, or write it again');
  }
}

/**
 * Returns the mode of a file that other users can access; false if they cannot, or if the mode is unknown.
 */
async function readSharedMode(path: string): Promise<string | false> {
  const { mode } = await stat(path).catch(() => ({ mode: 0 }));
  return (mode & 0o077) !== 0 && (mode & 0o777).toString(8);
}

const quoted = (path: string): string =>
  /^[\w./:@-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;

async function holdsObject(file: string): Promise<boolean> {
  try {
    const parsed: unknown = JSON.parse(await readText(file));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}
