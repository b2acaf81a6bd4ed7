import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { InputSpool } from '../../lib/spill/input-spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'input-spool-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MIB = 2 ** 20;
async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let k = 0; k < count; k++) yield new Uint8Array(3 * MIB + k).fill(k + 1);
}
async function gathered(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

test.each([0, 2, 3, 5])('gives the bytes of %d pieces back, and leaves no file', async (count) => {
  const spool = new InputSpool(folder),
    first = await gathered(spool.keep(pieces(count)));
  expect(first.length).toBe(count * 3 * MIB + (count * (count - 1)) / 2);
  expect((await gathered(spool.again())).equals(first)).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
  await spool.close();
});

test('passes on what it cannot keep, and says so when it is read again', async () => {
  const spool = new InputSpool(join(folder, 'none'));
  expect((await gathered(spool.keep(pieces(4)))).length).toBe(12 * MIB + 6);
  await expect(gathered(spool.again())).rejects.toMatchObject({
    code: 'UNREADABLE',
    message: expect.stringMatching(
      /^a temporary file in .*none cannot be written: no such file .* names another folder$/,
    ),
  });
});

test.each([true, false])(
  'ends with an error at once if it is required, before the failure: %s',
  async (isBefore) => {
    const spool = new InputSpool(join(folder, 'none')),
      pieceByPiece = spool.keep(pieces(4));
    if (isBefore) spool.require();
    for (let k = 0; k < 2; k++) await pieceByPiece.next();
    const failure = { code: 'UNREADABLE', message: expect.stringContaining('cannot be written') };
    if (isBefore) return expect(pieceByPiece.next()).rejects.toMatchObject(failure);
    await pieceByPiece.next();
    expect(() => spool.require()).toThrow(expect.objectContaining(failure));
  },
);
