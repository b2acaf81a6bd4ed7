import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import nock from 'nock';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { openStore } from '../../lib/storage/open-store.ts';
import { memoryBucket } from '../../lib/storage/memory-store.ts';

const http = createHttpClient({ retries: 0 });
const made: string[] = [];
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'open-'));
  made.push(path);
  return path;
}
beforeAll(() => nock.disableNetConnect());
afterAll(() => nock.restore());
afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true }))));

describe('openStore', () => {
  test.each([
    ['/data/vol/', 'file:///data/vol'],
    ['file:///data/a b%20c', 'file:///data/a b%20c'],
    ['vol', `file://${resolve('vol')}`],
    ['precomputed://file:///data/vol', 'file:///data/vol'],
    ['mem://name/a/b/', 'mem://name/a/b'],
    ['mem://name', 'mem://name'],
    ['https://u:p@host:81/vol/?sig=s#', 'https://host:81/vol'],
    ['HTTPS://host/', 'https://host'],
    ['gs://bucket/vol/seg', 'https://storage.googleapis.com/bucket/vol/seg'],
    ['precomputed://gs://bucket', 'https://storage.googleapis.com/bucket'],
    ['gs://bucket/with space/#', 'https://storage.googleapis.com/bucket/with%20space/%23'],
    ['s3://bucket/vol', 'https://bucket.s3.amazonaws.com/vol'],
    ['s3://bucket.with.dots/vol', 'https://s3.amazonaws.com/bucket.with.dots/vol'],
  ])('opens %s at %s', (path, url) => expect(openStore(path, { http, env: {} }).url).toBe(url));

  test.each([
    ['ftp://host/vol', 'UNSUPPORTED_SCHEME'],
    ['graphene://https://host/x', 'UNSUPPORTED_SCHEME'],
    ['constructor://x', 'UNSUPPORTED_SCHEME'],
    ['', 'BAD_PATH'],
    ['file://', 'BAD_PATH'],
    ['http://', 'BAD_PATH'],
    ['https://host/a#b', 'BAD_PATH'],
    ['gs:///vol', 'BAD_PATH'],
    ['gs://buc@ket/vol', 'BAD_PATH'],
    ['s3://evil.org:80/vol', 'BAD_PATH'],
    ['gs://bucket/../other', 'BAD_PATH'],
  ])('refuses %j: %s', (path, code) =>
    expect(() => openStore(path, { http })).toThrow(expect.objectContaining({ name: 'PathError', code })),
  );

  test('names the supported schemes', () => {
    expect(() => openStore('ftp://host/vol', { http })).toThrow(
      'ftp:// is not supported; supported are plain paths and file://, http://, https://, gs://, s3://, mem://',
    );
  });
  test.each(['/etc', 'file:///etc', 'mem://name', 'precomputed://file:///etc'])(
    'refuses %s if a server named it',
    (path) => {
      expect(() => openStore(path, { http, allowAddress: 'public' })).toThrow(
        expect.objectContaining({ code: 'FORBIDDEN_ADDRESS' }),
      );
    },
  );
  test.each(['http://127.0.0.1:1/vol', 'http://localhost/vol', 'https://10.0.0.1/vol'])(
    'refuses the private address %s if a server named it',
    async (path) => {
      await expect(openStore(path, { http, allowAddress: 'public' }).read('info')).rejects.toMatchObject({
        code: 'FORBIDDEN_ADDRESS',
      });
    },
  );
  test('allows a public host that a server named', async () => {
    nock('https://host.org').get('/vol/info').reply(200, 'ok');
    expect(
      (await openStore('https://host.org/vol', { http, allowAddress: 'public' }).read('info'))!.bytes,
    ).toHaveLength(2);
  });
});

describe('FileStore', () => {
  test('prefers the plain name to a suffix', async () => {
    const root = await folder();
    await writeFile(join(root, 'k.gz'), 'zipped');
    await writeFile(join(root, 'k'), 'plain');
    expect(await openStore(root, { http }).read('k')).toMatchObject({
      bytes: new TextEncoder().encode('plain'),
      contentEncoding: undefined,
    });
  });
  test('follows symbolic links', async () => {
    const root = await folder(),
      elsewhere = await folder();
    await writeFile(join(elsewhere, 'k'), 'x');
    await symlink(elsewhere, join(root, 'link'));
    expect((await openStore(root, { http }).read('link/k'))!.bytes).toHaveLength(1);
  });
  test.each(['folder', 'pipe', 'loop'])('fails with an IO error for a %s', async (what) => {
    const root = await folder();
    await mkdir(join(root, 'folder'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await symlink('loop', join(root, 'loop'));
    await expect(openStore(root, { http }).read(what)).rejects.toMatchObject({
      name: 'RequestError',
      code: 'IO',
      url: join(root, what),
    });
  });
  test('finds nothing in a folder that does not exist', async () =>
    expect(await openStore('/no/such/folder', { http }).read('info')).toBeUndefined());
});

describe('memoryBucket', () => {
  test('is shared by name, keeps copies, and deletes', async () => {
    const bytes = Uint8Array.of(1);
    memoryBucket('shared').put('a/k', bytes, 'gzip');
    bytes[0] = 9;
    const store = openStore('mem://shared/a', { http });
    const object = (await store.read('k'))!;
    expect([[...object.bytes], object.contentEncoding, memoryBucket('shared').keys()]).toEqual([
      [1],
      'gzip',
      ['a/k'],
    ]);
    object.bytes[0] = 7;
    expect([...(await store.read('k'))!.bytes]).toEqual([1]);
    expect(memoryBucket('shared').delete('a/k')).toBe(true);
    expect(await store.read('k')).toBeUndefined();
  });
});
