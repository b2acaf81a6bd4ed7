import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, crc32, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { registerSecret } from '../../lib/base/secret-redaction.ts';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { DiskCache } from '../../lib/cache/disk-cache.ts';
import type { SaveOrder } from '../../lib/chunks/chunk-work.ts';
import { ChunkSaver, crcOf } from '../../lib/workers/chunk-saver.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp-saver-'));
  await new CacheFolder(folder, 1e9).prepare();
});
afterEach(() => rm(folder, { recursive: true }));

const BYTES = Uint8Array.from({ length: 3000 }, (_, k) => k * 3),
  CRC = crc32(BYTES),
  FORM = { bytes: BYTES, form: 'inflated' };
const order = (more: Partial<SaveOrder> = {}, maxBytes = 1e9): SaveOrder => ({
  target: new CacheFolder(folder, maxBytes).target,
  key: 'a',
  origin: 'o',
  nowMs: 7,
  isVersionInReply: true,
  ...more,
});
const reply = (headers: Record<string, string>) => ({ headers, body: new Uint8Array(10) });
const stored = () => new DiskCache({ folder }).get('a');

describe('ChunkSaver', () => {
  test.each([
    ['an ETag', { etag: '"v1"' }, '"v1"'],
    ['a generation', { 'x-goog-generation': '17' }, 'generation 17'],
    ['a date', { 'last-modified': 'Mon' }, 'modified Mon size 10'],
    ['no version', {}, undefined],
  ])('stores a chunk with %s', async (_, headers, validator) => {
    const saver = new ChunkSaver();
    expect(saver.save(FORM, CRC, order(), reply(headers))).toEqual({});
    saver.flush();
    expect(await stored()).toMatchObject({
      bytes: Buffer.from(BYTES),
      form: 'inflated',
      origin: 'o',
      storedMs: 7,
    });
    expect((await stored())!.validator).toBe(validator);
  });

  test.each([
    ['of a reply', undefined, reply({ etag: '"xx-secret-0123456789-yy"' })],
    ['of an order', '"xx-secret-0123456789-yy"', undefined],
  ])('stores no version %s that contains a secret', async (_, validator, from) => {
    registerSecret('secret-0123456789');
    const saver = new ChunkSaver();
    saver.save(FORM, CRC, order({ validator }), from);
    saver.flush();
    expect(await stored()).toMatchObject({ validator: undefined, storedMs: 7 });
  });

  test('leaves to the main thread what is too large, or what cannot be stored', async () => {
    const saver = new ChunkSaver();
    expect(saver.save(FORM, CRC, order({}, 100_000), undefined)).toBeUndefined(); // a tenth is the limit of one entry
    expect(saver.save(FORM, CRC, order({ key: 'k'.repeat(20_000) }), undefined)).toBeUndefined();
    const full = order();
    expect(
      saver.save(FORM, CRC, { ...full, target: { ...full.target, storedBytes: 100 } }, undefined),
    ).toBeUndefined();
    await rm(full.target.folder, { recursive: true });
    expect(saver.save(FORM, CRC, full, undefined)).toBeUndefined();
    saver.flush();
  });

  test('tells if what was stored cannot be named, and nobody finds it', async () => {
    const saver = new ChunkSaver(),
      { target } = order();
    const saved = saver.save(FORM, CRC, order(), undefined);
    await rm(target.folder, { recursive: true });
    saver.flush();
    expect(saved).toMatchObject({ error: { code: 'ENOENT' } });
    expect(await stored()).toBeUndefined();
  });

  test('a false checksum makes a miss, and never a chunk', async () => {
    const saver = new ChunkSaver();
    saver.save(FORM, CRC ^ 1, order(), undefined);
    saver.flush();
    expect(await stored()).toBeUndefined();
  });
});

describe('crcOf', () => {
  const gzipped = gzipSync(BYTES);
  test.each([
    ['gzip', FORM, gzipped, 'gzip'],
    ['gzip in a larger memory', FORM, Buffer.concat([Buffer.alloc(13), gzipped]).subarray(13), 'gzip'],
    [
      'two gzip members',
      FORM,
      Buffer.concat([gzipSync(BYTES.subarray(0, 5)), gzipSync(BYTES.subarray(5))]),
      'gzip',
    ],
    ['gzip with bytes behind it', FORM, Buffer.concat([gzipped, Buffer.alloc(9)]), 'gzip'],
    ['gzip twice', FORM, gzipSync(gzipped), 'gzip'],
    ['too few bytes', FORM, new Uint8Array(3), 'gzip'],
    ['brotli', FORM, brotliCompressSync(BYTES), 'br'],
    ['nothing', FORM, BYTES, undefined],
    ['another form', { bytes: BYTES, form: 'row-runs' }, gzipSync(BYTES.with(3, 1)), 'gzip'],
  ])('is the CRC-32 of a chunk that came as %s', (_, form, from, encoding) =>
    expect(crcOf(form, from, encoding)).toBe(CRC),
  );
});
