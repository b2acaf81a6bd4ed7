import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findToken } from '../../lib/chunkedgraph/server/token.ts';
import { parseServer } from '../../lib/cave/cave-server.ts';
import { runCli } from './run-cli.ts';

let folder: string;
beforeEach(async () => void (folder = join(await mkdtemp(join(tmpdir(), 'login-')), 'cloudvolume')));
afterEach(() => rm(join(folder, '..'), { recursive: true }));

const secret = (name: string): string => join(folder, 'secrets', name);
const login = (argv: readonly string[], stdin: string, signal?: AbortSignal) =>
  runCli(['login', ...argv], { stdin, signal, env: { CLOUD_VOLUME_DIR: folder } });

describe('graphene-points login', () => {
  test('names the page, reads the token, and says which files it wrote, never the token', async () => {
    const { code, stdout, stderr } = await login(
      ['https://cave.example.org:8443'],
      ' "s3cr3t-t0ken"\nmore\n',
    );
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain('s3cr3t');
    expect(stderr).toContain('https://cave.example.org:8443/auth/api/v1/create_token');
    const files = [secret('cave.example.org:8443-cave-secret.json'), secret('cave-secret.json')];
    for (const file of files) {
      expect(stderr).toContain(`wrote ${file}\n`);
      expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ token: 's3cr3t-t0ken' });
      expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600');
    }
    expect(((await stat(join(folder, 'secrets'))).mode & 0o777).toString(8)).toBe('700');
    expect((await readdir(join(folder, 'secrets'))).sort()).toEqual([
      'cave-secret.json',
      'cave.example.org:8443-cave-secret.json',
    ]);
    expect(
      await findToken(
        parseServer('https://cave.example.org:8443'),
        { env: { CLOUD_VOLUME_DIR: folder } },
        () => {},
      ),
    ).toEqual({ token: 's3cr3t-t0ken', from: files[0] });
  });

  test('uses the global server by default, and keeps other entries of existing files', async () => {
    await mkdir(join(folder, 'secrets'), { recursive: true });
    await writeFile(secret('global.daf-apis.com-cave-secret.json'), '{"token": "old", "other": 1}', {
      mode: 0o644,
    });
    await writeFile(secret('cave-secret.json'), '{"token": "common"}');
    expect((await login([], 'new')).stderr).toContain('https://global.daf-apis.com/');
    expect(JSON.parse(await readFile(secret('global.daf-apis.com-cave-secret.json'), 'utf8'))).toEqual({
      token: 'new',
      other: 1,
    });
    expect(((await stat(secret('global.daf-apis.com-cave-secret.json'))).mode & 0o777).toString(8)).toBe(
      '600',
    );
    expect(JSON.parse(await readFile(secret('cave-secret.json'), 'utf8'))).toEqual({ token: 'common' });
  });

  test.each([
    ['nothing', '', 'no token was entered'],
    ['an empty line', '\n', 'no token was entered'],
    ['a sentence', 'this is no token\n', 'one word'],
    ['text that no header can hold', 'tök\n', 'one word'],
  ])('writes nothing for %s', async (_, stdin, message) => {
    const { code, stderr } = await login([], stdin);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('does not touch a file that is not JSON', async () => {
    await mkdir(join(folder, 'secrets'), { recursive: true });
    await writeFile(secret('global.daf-apis.com-cave-secret.json'), 'mine');
    const { code, stderr } = await login([], 's3cr3t\n');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('exists and is not a JSON object: move it away'),
    ]);
    expect(await readFile(secret('global.daf-apis.com-cave-secret.json'), 'utf8')).toBe('mine');
  });

  test('refuses an address that is not a server', async () => {
    expect((await login(['ftp://x'], 't\n')).code).toBe(2);
  });
});
