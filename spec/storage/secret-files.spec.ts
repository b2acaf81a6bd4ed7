import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { saveToken } from '../../lib/cave/save-token.ts';
import { checkSecrets } from '../../lib/doctor/check-secrets.ts';
import { parseServer, findServer } from '../../lib/cave/cave-server.ts';
import { findToken } from '../../lib/chunkedgraph/server/token.ts';
import { readFirstSecret } from '../../lib/storage/secret-files.ts';
import { secretsFolder } from '../support/clouds.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'bom-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Encodings in which editors and shells write a text. */
const WRITERS: Record<string, (text: string) => Uint8Array> = {
  'UTF-8': (text) => Buffer.from(text),
  'UTF-8 with a byte order mark': (text) => Buffer.from(`\ufeff${text}`),
  'UTF-16, little-endian': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16, big-endian': (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
};

describe.each(Object.keys(WRITERS))('a file in %s', (name) => {
  const write = (file: string, json: object): void =>
    writeFileSync(file, WRITERS[name](JSON.stringify(json)));

  test('can be read as secrets, as a token, and as the map of servers', async () => {
    const at = secretsFolder(),
      secrets = join(at, 'secrets'),
      env = { CLOUD_VOLUME_DIR: at };
    write(join(secrets, 'google-secret.json'), { type: 'service_account', é: '∆' });
    write(join(secrets, 'cave-secret.json'), { token: 'a-token' });
    write(join(secrets, 'cave_datastack_to_server_map.json'), { minnie: 'https://minnie.example.org' });
    expect(await readFirstSecret([join(secrets, 'google-secret.json')])).toMatchObject({
      json: { type: 'service_account', é: '∆' },
    });
    expect(await findToken(parseServer('https://h.example.org'), { env }, () => undefined)).toMatchObject({
      token: 'a-token',
    });
    expect((await findServer('minnie', undefined, env)).origin).toBe('https://minnie.example.org');
    const said: string[] = [];
    for await (const finding of checkSecrets(env, true)) said.push(finding.said);
    expect(said).toEqual([expect.stringContaining('holds cave-secret.json, google-secret.json')]);
  });

  test('keeps its other fields when a token is saved', async () => {
    const at = secretsFolder(),
      secrets = join(at, 'secrets'),
      env = { CLOUD_VOLUME_DIR: at },
      host = parseServer('https://h.example.org');
    write(join(secrets, 'h.example.org-cave-secret.json'), { other: 1 });
    await saveToken(host, 'new-token', env);
    expect((await readFirstSecret([join(secrets, 'h.example.org-cave-secret.json')]))!.json).toEqual({
      other: 1,
      token: 'new-token',
    });
  });
});
