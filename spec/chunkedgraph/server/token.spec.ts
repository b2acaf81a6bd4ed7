import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { parseGraphPath } from '../../../lib/chunkedgraph/server/graph-path.ts';
import { findToken, tokenFiles, type TokenSearch } from '../../../lib/chunkedgraph/server/token.ts';

const pathOf = (origin: string) => parseGraphPath(`graphene://${origin}/segmentation/table/t`);
const HTTPS = pathOf('https://graph.example.org');
const HTTP = pathOf('http://graph.example.org');

describe('findToken', () => {
  let folder: string;
  const warn = jest.fn<(message: string) => void>();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-'));
    mkdirSync(join(folder, 'secrets'));
    warn.mockReset();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (name: string): string => join(folder, 'secrets', name);
  const keep = (name: string, token: unknown): void => writeFileSync(file(name), JSON.stringify({ token }));
  const find = (search: TokenSearch = {}, path = HTTPS) =>
    findToken(path, { ...search, env: { CLOUD_VOLUME_DIR: folder, ...search.env } }, warn);

  test("uses the first of: the option, CAVE_TOKEN, the server's file, the common file", async () => {
    keep('graph.example.org-cave-secret.json', 'of-server');
    keep('cave-secret.json', 'common');
    expect(await find({ token: 'given', env: { CAVE_TOKEN: 'of-env' } })).toEqual({
      token: 'given',
      from: 'the token option',
    });
    expect(await find({ env: { CAVE_TOKEN: 'of-env' } })).toEqual({ token: 'of-env', from: 'CAVE_TOKEN' });
    expect(await find({ env: { CAVE_TOKEN: '' } })).toEqual({
      token: 'of-server',
      from: file('graph.example.org-cave-secret.json'),
    });
    expect(await find({}, pathOf('https://other.example.org'))).toEqual({
      token: 'common',
      from: file('cave-secret.json'),
    });
    rmSync(file('cave-secret.json'));
    expect(await find({}, pathOf('https://other.example.org'))).toBeUndefined();
    expect(warn).not.toHaveBeenCalled();
  });

  test('prefers a file that names the port', async () => {
    const local = pathOf('http://localhost:8080');
    keep('localhost-cave-secret.json', 'any port');
    expect(await find({}, local)).toMatchObject({ token: 'any port' });
    keep('localhost:8080-cave-secret.json', 'this port');
    expect(await find({}, local)).toMatchObject({ token: 'this port' });
  });

  test.each([[null], ['']])('returns no token for %p, without a search', async (token) => {
    writeFileSync(file('cave-secret.json'), 'broken');
    expect(await find({ token, env: { CAVE_TOKEN: 'of-env' } })).toBeUndefined();
  });

  test('removes white space around a token that it found', async () => {
    keep('cave-secret.json', ' s3cr3t\n');
    expect(await find()).toMatchObject({ token: 's3cr3t' });
    expect(await find({ env: { CAVE_TOKEN: 's3cr3t\r\n' } })).toMatchObject({ token: 's3cr3t' });
  });

  test.each<[what: string, text: string]>([
    ['no JSON', 's3cr3t'],
    ['another field', '{"tokens": "s3cr3t"}'],
    ['a number', '{"token": 5}'],
    ['an empty token', '{"token": " "}'],
    ['null', 'null'],
    ['nothing', ''],
    ['a list', '["s3cr3t"]'],
  ])('names a file without a token, and does not quote it: %s', async (_what, text) => {
    writeFileSync(file('graph.example.org-cave-secret.json'), text);
    keep('cave-secret.json', 'common'); // not used instead of the broken file
    const broken = file('graph.example.org-cave-secret.json');
    const search = find();
    await expect(search).rejects.toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      url: broken,
      message: `token file ${broken} does not contain {"token": "…"}`,
    });
    await expect(search).rejects.not.toThrow(/s3cr3t/);
  });

  test('names a file that cannot be read', async () => {
    mkdirSync(file('cave-secret.json'));
    await expect(find()).rejects.toMatchObject({
      code: 'BAD_INFO',
      message: `token file ${file('cave-secret.json')} cannot be read (EISDIR)`,
    });
  });

  test('finds no token if there is no folder, or a file in its place', async () => {
    rmSync(join(folder, 'secrets'), { recursive: true });
    expect(await find()).toBeUndefined();
    writeFileSync(join(folder, 'secrets'), '');
    expect(await find()).toBeUndefined();
    chmodSync(join(folder, 'secrets'), 0o600);
  });

  describe('over plain http', () => {
    test('refuses the token option for a remote host', async () => {
      const search = find({ token: 's3cr3t' }, HTTP);
      await expect(search).rejects.toMatchObject({ name: 'PathError', code: 'INSECURE_TOKEN' });
      await expect(search).rejects.not.toThrow(/s3cr3t/);
    });

    test('does not send a token that it found, and warns', async () => {
      keep('cave-secret.json', 's3cr3t');
      expect(await find({}, HTTP)).toBeUndefined();
      expect(await find({ env: { CAVE_TOKEN: 's3cr3t' } }, HTTP)).toBeUndefined();
      expect(warn.mock.calls.flat()).toEqual([
        `the token from ${file('cave-secret.json')} is not sent: http://graph.example.org is reached neither over TLS nor on loopback`,
        'the token from CAVE_TOKEN is not sent: http://graph.example.org is reached neither over TLS nor on loopback',
      ]);
    });

    test.each(['http://localhost:5000', 'http://127.0.0.1', 'http://[::1]:5000', 'http://graph.localhost'])(
      'sends it to %s',
      async (origin) => {
        expect(await find({ token: 'given' }, pathOf(origin))).toMatchObject({ token: 'given' });
        expect(await find({ env: { CAVE_TOKEN: 'found' } }, pathOf(origin))).toMatchObject({
          token: 'found',
        });
      },
    );

    test.each([
      'http://localhost.example.org',
      'http://10.0.0.1',
      'http://192.168.1.7:5000',
      'http://[fe80::1]',
    ])('does not send it to %s', async (origin) =>
      expect(find({ token: 'given' }, pathOf(origin))).rejects.toMatchObject({ code: 'INSECURE_TOKEN' }),
    );
  });
});

describe('a token that cannot be in a header', () => {
  test.each([
    { from: 'the token option', search: { token: 'a\nb' } },
    { from: 'CAVE_TOKEN', search: { env: { CAVE_TOKEN: 'schlüssel' } } },
  ])('is refused, and the error names its source: $from', async ({ from, search }) => {
    const failed = findToken(HTTPS, { env: {}, ...search }, () => undefined);
    await expect(failed).rejects.toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      message: expect.stringContaining(from),
    });
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringMatching(/a\nb|schl/) });
  });
});

describe('tokenFiles', () => {
  test('are those of CloudVolume, in the folder that CLOUD_VOLUME_DIR names', () => {
    const names = ['graph.example.org-cave-secret.json', 'cave-secret.json', 'chunkedgraph-secret.json'];
    expect(tokenFiles(HTTPS, { CLOUD_VOLUME_DIR: '/elsewhere' })).toEqual(
      names.map((name) => join('/elsewhere/secrets', name)),
    );
    for (const env of [{}, { CLOUD_VOLUME_DIR: '' }])
      expect(tokenFiles(HTTPS, env)).toEqual(
        names.map((name) => join(homedir(), '.cloudvolume/secrets', name)),
      );
  });

  test('list the file of the server that issues tokens after the file of the host', () => {
    const names = [
      'graph.example.org-cave-secret.json',
      'auth.example.org:8443-cave-secret.json',
      'auth.example.org-cave-secret.json',
      'cave-secret.json',
      'chunkedgraph-secret.json',
    ];
    expect(
      tokenFiles(HTTPS, { CLOUD_VOLUME_DIR: '/elsewhere' }, pathOf('https://auth.example.org:8443')),
    ).toEqual(names.map((name) => join('/elsewhere/secrets', name)));
  });
});
