import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PackIndex } from '../../lib/cache/pack-index.ts';
import { hashOf } from '../../lib/cache/pack-record.ts';
import { Stop } from '../../lib/base/stop.ts';
import type { ChunkWork } from '../../lib/chunks/chunk-work.ts';
import { WorkerPool } from '../../lib/workers/worker-pool.ts';
import { HeldChunks } from '../../lib/workers/held-chunks.ts';
import type { SaveCommand } from '../../lib/workers/worker-messages.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp-held-'));
  await mkdir(join(folder, 'packs'));
});
afterEach(() => rm(folder, { recursive: true }));

const hash = hashOf('key');
const save = (heldId: number, path = folder): SaveCommand => ({
  kind: 'save',
  id: 100,
  heldId,
  target: { folder: path, packBytes: 1e9 },
  hash,
  head: Uint8Array.of(1, 2),
});

test('a chunk is not saved, and nothing waits for it, while its thread is at another one for long', async () => {
  const file = join(folder, 'busy.cjs');
  await writeFile(
    file,
    `const { parentPort, workerData } = require('node:worker_threads');
    parentPort.on('message', ([{ kind, id }]) => {
      if (kind === 'save') Atomics.store(workerData.current, 0, 99);
      else parentPort.postMessage([{ kind, id, result: { values: [], held: { byteLength: 1, crc: 0, form: '' } } }]);
    });
    parentPort.postMessage({ kind: 'ready' });`,
  );
  const pool = new WorkerPool({ file, size: 1, fewestChunks: 1, isPatient: true, checkMs: 5 });
  pool.expect(1);
  const result = await pool.work(Uint8Array.of(1), undefined, {} as ChunkWork, new Stop());
  expect(await pool.save(result!, { folder, packBytes: 1 }, hash, Uint8Array.of(1))).toBe(false);
  expect(pool.ready).toBe(1);
  await pool.close();
});

describe('HeldChunks', () => {
  test('writes a chunk behind its head, once', async () => {
    const held = new HeldChunks();
    expect(held.add(7, { bytes: Uint8Array.of(3, 4, 5), form: 'f' })).toEqual({
      byteLength: 3,
      crc: 0xe90156c0,
      form: 'f',
    });
    expect(held.save([save(7)])).toEqual([{ wasHeld: true }]);
    const place = (await new PackIndex(folder).find(hash, 0))!;
    expect([...(await readFile(place.file))]).toEqual([1, 2, 3, 4, 5]);
    expect(place).toMatchObject({ offset: 0, length: 5 });
    expect(held.save([save(7)])).toEqual([{ wasHeld: false }]);
  });

  test('keeps a chunk that could not be written, and tells why', () => {
    const held = new HeldChunks();
    held.add(7, { bytes: Uint8Array.of(3), form: 'f' });
    expect(held.save([save(7, join(folder, 'missing'))])).toMatchObject([
      { wasHeld: true, error: { code: 'ENOENT' } },
    ]);
    expect(held.save([save(7)])).toEqual([{ wasHeld: true }]);
  });

  test('drops the oldest chunks beyond 32 MiB', () => {
    const held = new HeldChunks(),
      bytes = new Uint8Array(12 * 1024 * 1024);
    for (const id of [1, 2, 3, 4]) held.add(id, { bytes, form: 'f' });
    expect([1, 2, 3, 4].map((id) => held.save([save(id)])[0].wasHeld)).toEqual([false, false, true, true]);
  });

  test('copies chunks whose memory is used again, and saves several at once', async () => {
    const held = new HeldChunks();
    for (const round of [0, 1, 2]) {
      const scratch = new Uint8Array(1000);
      const ids = [1, 2, 3].map((k) => 10 * round + k);
      for (const id of ids) held.add(id, { bytes: scratch.fill(id), form: 'f' }, true);
      const saves = ids.map((id) => ({ ...save(id), hash: hashOf(String(id)) }));
      expect(held.save([...saves, save(99)]).map(({ wasHeld }) => wasHeld)).toEqual([
        true,
        true,
        true,
        false,
      ]);
    }
    const index = new PackIndex(folder);
    for (const id of [1, 3, 12, 23]) {
      const { file, offset, length } = (await index.find(hashOf(String(id)), 0))!;
      const bytes = (await readFile(file)).subarray(offset, offset + length);
      expect([...bytes]).toEqual([1, 2, ...Array.from({ length: 1000 }, () => id)]);
    }
  });
});
