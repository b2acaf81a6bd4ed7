import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HeldChunks } from '../../lib/workers/held-chunks.ts';
import type { SaveCommand } from '../../lib/workers/worker-messages.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-held-'))));
afterEach(() => rm(folder, { recursive: true }));

const save = (heldId: number, file = join(folder, String(heldId))): SaveCommand => ({
  kind: 'save',
  id: 100,
  heldId,
  temporary: join(folder, 'temporary'),
  file,
  head: Uint8Array.of(1, 2),
});

describe('HeldChunks', () => {
  test('writes a chunk behind its head, once', async () => {
    const held = new HeldChunks();
    expect(held.add(7, { bytes: Uint8Array.of(3, 4, 5), form: 'f' })).toEqual({
      byteLength: 3,
      crc: 0xe90156c0,
      form: 'f',
    });
    expect(held.save(save(7))).toEqual({ wasHeld: true });
    expect([...(await readFile(join(folder, '7')))]).toEqual([1, 2, 3, 4, 5]);
    expect(held.save(save(7))).toEqual({ wasHeld: false });
  });

  test('keeps a chunk that could not be written, and tells why', () => {
    const held = new HeldChunks();
    held.add(7, { bytes: Uint8Array.of(3), form: 'f' });
    expect(held.save(save(7, join(folder, 'missing', 'file')))).toMatchObject({
      wasHeld: true,
      error: { code: 'ENOENT' },
    });
    expect(held.save(save(7))).toEqual({ wasHeld: true });
  });

  test('drops the oldest chunks beyond 32 MiB', () => {
    const held = new HeldChunks(),
      bytes = new Uint8Array(12 * 1024 * 1024);
    for (const id of [1, 2, 3, 4]) held.add(id, { bytes, form: 'f' });
    expect([1, 2, 3, 4].map((id) => held.save(save(id)).wasHeld)).toEqual([false, false, true, true]);
  });
});
