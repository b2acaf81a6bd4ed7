/** The folder of secrets: which files are there, and whether others can read them. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readText, secretsFolder } from '../storage/secret-files.ts';
import { ok, warn, type Findings } from './findings.ts';

/** Source: CAVEclient, caveclient/auth.py; CloudVolume, cloudvolume/secrets.py. */
const SECRET = /(?:^|-)(?:cave|chunkedgraph|google|aws)-secret\.json$/;
const LOGIN = 'graphene-points login keeps a token there';

/** A finding on the folder, then one on each file of which there is something to say. */
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
      code === 'ENOENT' ? `${folder} is not there` : `${folder} cannot be read (${code})`,
      LOGIN,
    );
  }
  if (names.length === 0) return yield warn('secrets', `${folder} holds no secrets`, LOGIN);
  yield ok('secrets', `${folder} holds ${names.join(', ')}`);
  const shared = windows ? false : await isShared(folder);
  if (shared)
    yield warn(
      'secrets',
      `others than you may look into ${folder} (mode ${shared})`,
      `chmod 700 ${quoted(folder)}`,
    );
  for (const name of names) {
    const file = join(folder, name);
    const mode = windows ? false : await isShared(file);
    if (mode)
      yield warn('secrets', `others than you may read ${file} (mode ${mode})`, `chmod 600 ${quoted(file)}`);
    if (!(await holdsObject(file)))
      yield warn('secrets', `${file} holds no JSON object`, 'move it away, or write it anew');
  }
}

/** The mode when it lets others than the owner in; false when not, or when nobody can tell. */
async function isShared(path: string): Promise<string | false> {
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
