import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  allowedAddressesOf,
  DEFAULT_CAVE_SERVER,
  parseNamedServer,
  parseServer,
  findServer,
} from '../../lib/cave/cave-server.ts';

describe('parseServer', () => {
  test.each([
    ['https://cave.example.org', 'https://cave.example.org', 'cave.example.org'],
    ['cave.example.org', 'https://cave.example.org', 'cave.example.org'],
    ['https://cave.example.org:8443/', 'https://cave.example.org:8443', 'cave.example.org:8443'],
    ['http://127.0.0.1:80', 'http://127.0.0.1', '127.0.0.1'],
  ])('accepts %s', (address, origin, host) =>
    expect(parseServer(address)).toEqual({ origin, host, hostname: new URL(origin).hostname }),
  );
  test.each(['', 'ftp://x.org', 'https://u:p@x.org', 'https://x.org/?a=1', 'https://x.org/#a', 'https://'])(
    'refuses %p',
    (address) => {
      expect(() => parseServer(address)).toThrow(
        expect.objectContaining({ name: 'PathError', code: 'BAD_PATH' }),
      );
    },
  );
});

describe('a server that another server names', () => {
  const remote = parseServer('https://global.example.org'),
    local = parseServer('http://localhost:99');
  test.each([
    ['https://local.example.org', remote],
    ['http://127.0.0.1:8000', local],
    ['https://else.example.org', local],
    ['https://localhost', local],
    ['http://cave.lab', parseServer('http://cave.lab')],
  ])('may be %s', (address, from) => {
    expect(parseNamedServer(address, from).origin).toBe(address);
  });
  test.each([
    ['http://local.example.org', remote],
    ['https://127.0.0.1', remote],
    ['http://localhost:80', remote],
    ['http://else.example.org', local],
    ['https://else.example.org', parseServer('http://cave.lab')],
  ])('may not be %s', (address, from) => {
    expect(() => parseNamedServer(address, from)).toThrow(
      expect.objectContaining({ name: 'PathError', code: 'INSECURE_TOKEN' }),
    );
  });
});

describe('the server of a datastack', () => {
  let folder: string;
  const map = (text: string): Promise<void> =>
    writeFile(join(folder, 'secrets', 'cave_datastack_to_server_map.json'), text);
  const find = (given?: string) =>
    findServer('minnie', given, { CLOUD_VOLUME_DIR: folder }).then(({ origin }) => origin);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cave-'));
    await mkdir(join(folder, 'secrets'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is the given server, else the remembered one, else the global one', async () => {
    expect(await find()).toBe(DEFAULT_CAVE_SERVER);
    await map('{"minnie": "https://remembered.example.org", "other": "https://x.org"}');
    expect(await find()).toBe('https://remembered.example.org');
    expect(await find('https://given.example.org')).toBe('https://given.example.org');
  });
  test.each(['', 'null', '[]', '{"minnie": 5}', '{"other": "https://x.org"}', 'no JSON'])(
    'is the global one if the map is %p',
    async (text) => {
      await map(text);
      expect(await find()).toBe(DEFAULT_CAVE_SERVER);
    },
  );
});

describe('the addresses', () => {
  const from = (origin: string, address?: string) =>
    ({ path: parseServer(origin), address }) as Parameters<typeof allowedAddressesOf>[1];
  test.each([
    ['https://local.example.org', from('https://global.example.org', '93.184.215.14'), 'public'],
    ['https://10.0.0.5', from('https://global.example.org', '93.184.215.14'), 'public'],
    ['https://local.example.org', from('https://global.example.org'), 'public'],
    ['https://local.example.org', from('https://cave.lab', '10.0.0.7'), 'any'],
    ['https://global.example.org', from('https://global.example.org', '93.184.215.14'), 'any'],
    ['http://127.0.0.1:5', from('http://127.0.0.1:4', '127.0.0.1'), 'any'],
  ] as const)('of %s, if %p names it, may be %s', (host, server, allowed) =>
    expect(allowedAddressesOf(parseServer(host), server)).toBe(allowed),
  );
});
