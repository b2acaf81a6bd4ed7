/** Tokens of requests and of files, and the settings that a service may start with. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  chooseAccessMode,
  type AccessOptions,
  type ListeningOptions,
} from '../../../lib/serve/access/access-options.ts';
import { readBearerToken } from '../../../lib/serve/access/bearer-token.ts';
import { parseTokenFile, TokenFile } from '../../../lib/serve/access/token-file.ts';
import { TokenKeys } from '../../../lib/serve/access/token-keys.ts';

const ALICE = 'alice-0123456789abcdef',
  BOB = 'bob-0123456789abcdef-_.~+/==',
  CAROL = 'carol-0123456789abcdef';

describe('Authorization', () => {
  test.each([`Bearer ${ALICE}`, `bearer  ${ALICE}`, `BEARER ${ALICE}`])('%s holds a token', (text) =>
    expect(readBearerToken(text)).toBe(ALICE),
  );
  test('may be absent', () => expect(readBearerToken(undefined)).toBeUndefined());
  test.each([
    ['', 'BAD_REQUEST'],
    [ALICE, 'BAD_REQUEST'],
    [`Basic ${ALICE}`, 'BAD_REQUEST'],
    [`Bearer:${ALICE}`, 'BAD_REQUEST'],
    [` Bearer ${ALICE}`, 'BAD_REQUEST'],
    ['Bearer', 'BAD_TOKEN'],
    ['Bearer ', 'BAD_TOKEN'],
    ['Bearer short', 'BAD_TOKEN'],
    [`Bearer ${'x'.repeat(257)}`, 'BAD_TOKEN'],
    [`Bearer ${ALICE} ${BOB}`, 'BAD_TOKEN'],
    [`Bearer ${ALICE}, Bearer ${BOB}`, 'BAD_TOKEN'],
    [`Bearer "${ALICE}"`, 'BAD_TOKEN'],
    [`Bearer ${ALICE}\u0000`, 'BAD_TOKEN'],
    [`Bearer ${ALICE}\u00e9`, 'BAD_TOKEN'],
    [`Bearer ${ALICE}\n`, 'BAD_REQUEST'],
  ])('%j is refused', (text, code) => {
    expect(() => readBearerToken(text)).toThrow(expect.objectContaining({ code }));
  });
  test('is never quoted', () => {
    expect(() => readBearerToken(`Basic ${ALICE}`)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('alice') }),
    );
  });
});

test('keys of tokens differ between services, and tell nothing about the token', () => {
  const [one, other] = [new TokenKeys(), new TokenKeys()];
  expect(one.keyOf(ALICE)).toBe(one.keyOf(ALICE));
  expect(new Set([one.keyOf(ALICE), one.keyOf(BOB), other.keyOf(ALICE)]).size).toBe(3);
  expect(inspect(one, { showHidden: true, depth: 9 })).not.toMatch(/alice|secret/i);
});

describe('a file of tokens', () => {
  const volumes = ['flywire', 'minnie'];
  const parse = (text: string) => parseTokenFile(text, 'FILE', volumes);

  test('has one token per line, or JSON with a name and rights', () => {
    const line = JSON.stringify({ token: BOB, name: 'Bob', volumes: ['minnie'], roots: false });
    expect(parse(`# tokens\r\n\r\n ${ALICE} \r\n${line}`)).toEqual([
      { token: ALICE, line: 3, name: 'line 3', volumes: undefined, roots: true },
      { token: BOB, line: 4, name: 'Bob', volumes: ['minnie'], roots: false },
    ]);
  });

  test.each([
    ['', /holds no token/],
    ['# nothing', /holds no token/],
    ['short', /line 1 has no token of 16 to 256/],
    [`${ALICE}\n${ALICE} Alice`, /line 2 has no token/],
    [`{"token": "${ALICE}"`, /line 1 is not JSON/],
    ['{}', /line 1: token: /],
    [`{"token": "${ALICE}", "volume": ["minnie"]}`, /line 1: Unrecognized key: "volume"/],
    [`{"token": "${ALICE}", "volumes": []}`, /line 1: volumes: /],
    [
      `{"token": "${ALICE}", "volumes": ["minni"]}`,
      /line 1 names the volume "minni"; there is flywire, minnie/,
    ],
    [`{"token": "${ALICE}", "roots": "no"}`, /line 1: roots: /],
    [`{"token": "${ALICE}", "name": "a\\nb"}`, /line 1: name: /],
  ])('%j is refused', (text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'BAD_TOKEN_FILE' }));
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('alice') }),
    );
  });

  describe('on disk', () => {
    let folder: string, file: string, ms: number;
    const warnings: string[] = [];
    const openFile = (path = file) =>
      TokenFile.open(path, { volumes, now: () => ms, warn: (message) => void warnings.push(message) });
    const write = async (text: string): Promise<void> => {
      await writeFile(file, text, { mode: 0o600 });
      ms += 5000;
    };
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tokens-'));
      file = join(folder, 'tokens.txt');
      ms = 0;
    });
    afterAll(() => rm(folder, { recursive: true }));

    test('knows its tokens only, and holds none of them in memory', async () => {
      await write(`${ALICE}\n${JSON.stringify({ token: BOB, name: 'Bob', roots: false })}\n`);
      const tokens = await openFile();
      expect(await tokens.rightsOf(ALICE)).toEqual({ name: 'line 1', volumes: undefined, roots: true });
      expect(await tokens.rightsOf(BOB)).toMatchObject({ name: 'Bob', roots: false });
      for (const wrong of [CAROL, ALICE.slice(1), `${ALICE}=`, ALICE.toUpperCase(), '__proto__', ''])
        expect(await tokens.rightsOf(wrong)).toBeUndefined();
      expect(inspect(tokens, { showHidden: true, depth: 9 })).not.toContain('alice');
    });

    test('is read again when it has changed: tokens come and go without a restart', async () => {
      await write(`${ALICE}\n${BOB}\n`);
      const tokens = await openFile();
      await writeFile(file, `${BOB}\n${CAROL}\n`);
      expect(await tokens.rightsOf(ALICE)).toBeDefined(); // not looked at again yet
      ms += 5000;
      expect(await Promise.all([ALICE, BOB, CAROL].map((token) => tokens.rightsOf(token)))).toMatchObject([
        undefined,
        { name: 'line 1' },
        { name: 'line 2' },
      ]);
    });

    test('keeps its tokens while it cannot be used, and says so', async () => {
      await write(`${ALICE}\n`);
      const tokens = await openFile();
      await write('oops\n');
      expect(await tokens.rightsOf(ALICE)).toBeDefined();
      expect(warnings).toEqual([
        expect.stringMatching(/line 1 has no token.*that were read before stay valid/),
      ]);
      await write(`${CAROL}\n`);
      expect(await tokens.rightsOf(ALICE)).toBeUndefined();
    });

    test.each([
      ['others can read it', 0o644],
      ['its group can read it', 0o640],
      ['others can write it', 0o602],
    ])('is refused if %s', async (_what, mode) => {
      await write(`${ALICE}\n`);
      await chmod(file, mode);
      await expect(openFile()).rejects.toMatchObject({
        code: 'BAD_TOKEN_FILE',
        message: expect.stringContaining(`(mode ${mode.toString(8)}): chmod 600 it`),
      });
      await chmod(file, 0o600);
    });

    test('is refused if it is a folder, a device, too large, empty of tokens, repeated or missing', async () => {
      await expect(openFile('/dev/null')).rejects.toThrow(/it is not a file/);
      await expect(openFile(folder)).rejects.toThrow(/it is not a file/);
      await expect(openFile(join(folder, 'missing'))).rejects.toThrow(/it cannot be read \(ENOENT\)/);
      await write(`# ${'x'.repeat(2 ** 20)}`);
      await expect(openFile()).rejects.toThrow(/more than 1048576 bytes/);
      await write(`${ALICE}\n${ALICE}\n`);
      await expect(openFile()).rejects.toThrow(/line 2 repeats a token/);
    });
  });
});

describe('the settings of a service', () => {
  const loopback: ListeningOptions = { host: '127.0.0.1', volumes: ['a', 'b'] },
    everywhere = { ...loopback, host: '0.0.0.0' },
    tls = { cert: 'cert.pem', key: 'key.pem' };
  const file = { tokenFile: 'tokens.txt' },
    cave = { auth: 'cave' } as const,
    open = { publicVolumes: ['a'] };

  test.each<[AccessOptions, ListeningOptions, string]>([
    [{}, loopback, 'local'],
    [{}, { ...loopback, host: 'localhost' }, 'local'],
    [{}, { ...loopback, host: '::1' }, 'local'],
    [file, loopback, 'tokenFile'],
    [cave, loopback, 'cave'],
    [open, loopback, 'none'],
    [open, everywhere, 'none'],
    [{ ...file, ...tls }, everywhere, 'tokenFile'],
    [{ ...cave, tlsByProxy: true }, everywhere, 'cave'],
    [{ ...cave, ...open, ...tls }, everywhere, 'cave'],
  ])('%j at %j: %s', (options, listening, mode) => expect(chooseAccessMode(options, listening)).toBe(mode));

  test.each<[AccessOptions, ListeningOptions, RegExp]>([
    [{}, everywhere, /other machines reach 0\.0\.0\.0.*add --token-file FILE, --auth cave or --public NAME/],
    [{}, { ...loopback, host: '::' }, /other machines reach ::/],
    [{}, { ...loopback, host: '192.168.1.5' }, /other machines/],
    [{}, { ...loopback, host: 'localhost.example.org' }, /other machines/],
    [tls, everywhere, /must know who may ask/],
    [{ allowHosts: ['h'], corsOrigins: ['https://h'] }, everywhere, /must know who may ask/],
    [file, everywhere, /tokens to 0\.0\.0\.0 without TLS: add --cert FILE and --key FILE, or --tls-by-proxy/],
    [{ ...cave, ...open }, everywhere, /without TLS/],
  ])('%j at %j is unsafe', (options, listening, message) => {
    expect(() => chooseAccessMode(options, listening)).toThrow(
      expect.objectContaining({ code: 'UNSAFE_SETTINGS' }),
    );
    expect(() => chooseAccessMode(options, listening)).toThrow(message);
  });

  test.each<[AccessOptions, RegExp]>([
    [{ ...file, ...cave }, /exclude each other/],
    [{ authServer: 'https://h' }, /--auth-server needs --auth cave/],
    [{ ...file, ...tls, tlsByProxy: true }, /one of them terminates TLS/],
    [{ ...file, cert: 'cert.pem' }, /--cert and --key need each other/],
    [{ ...file, key: 'key.pem' }, /--cert and --key need each other/],
    [{ publicVolumes: ['c'] }, /--public c: no volume has this name; there is a, b/],
  ])('%j makes no sense', (options, message) => {
    expect(() => chooseAccessMode(options, everywhere)).toThrow(RangeError);
    expect(() => chooseAccessMode(options, everywhere)).toThrow(message);
  });
});
