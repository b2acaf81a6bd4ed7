import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeEntry, encodeEntry, type CacheEntry } from '../../lib/cache/entry.ts';

const fileOf = (key: string, entry: CacheEntry): Uint8Array =>
  new Uint8Array(Buffer.concat(encodeEntry(key, entry)!));
const entry: CacheEntry = {
  bytes: Uint8Array.from({ length: 300 }, (_, k) => k * 7),
  validator: '"a\u00e9"',
  storedMs: 1_795_000_000_123,
};

describe('an entry', () => {
  test.each([
    ['bytes', entry],
    ['no bytes', { ...entry, bytes: new Uint8Array(0) }],
    ['absence', { ...entry, bytes: undefined }],
    ['no validator', { ...entry, validator: undefined }],
  ])('is decoded as it was encoded: %s', (_, given) => {
    expect(decodeEntry(fileOf('https://host/a b|1', given))).toEqual({
      key: 'https://host/a b|1',
      entry: given,
    });
  });

  test('is read from the middle of a larger buffer', () => {
    const file = fileOf('k', entry),
      around = new Uint8Array(file.length + 10);
    around.set(file, 3);
    expect(decodeEntry(around.subarray(3, 3 + file.length))).toEqual({ key: 'k', entry });
  });

  test('is refused at every cut and with an extra byte', () => {
    const file = fileOf('k', entry);
    for (let length = 0; length < file.length; length++)
      expect(decodeEntry(file.subarray(0, length))).toBeUndefined();
    expect(decodeEntry(new Uint8Array([...file, 0]))).toBeUndefined();
  });

  test('is refused with any bit flipped', () => {
    const file = fileOf('k', entry);
    for (let bit = 0; bit < 8 * file.length; bit++) {
      file[bit >> 3] ^= 1 << (bit & 7);
      expect(decodeEntry(file)).toBeUndefined();
      file[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(decodeEntry(file)?.entry).toEqual(entry);
  });

  test('is refused if it is any other bytes', () => {
    const magic = [...new TextEncoder().encode('GPCACHE2')];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(decodeEntry(bytes)).toBeUndefined();
        expect(decodeEntry(Uint8Array.from([...magic, ...bytes]))).toBeUndefined();
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test.each(['', 'null', '5', '{"length":0,"crc":0}', '{"key":"k","length":"0","crc":0}'])(
    'is refused with the header %j, even if its checksum agrees',
    (text) => {
      const header = Buffer.from(text),
        prefix = Buffer.from('GPCACHE2\0\0\0\0\0\0\0\0');
      prefix.writeUint32LE(header.length, 8);
      prefix.writeUint32LE(crc32(header), 12);
      expect(decodeEntry(Buffer.concat([prefix, header]))).toBeUndefined();
    },
  );

  test('is not made for a key that is too long', () =>
    expect(encodeEntry('k'.repeat(20_000), entry)).toBeUndefined());
});
