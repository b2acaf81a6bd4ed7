import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { pngCodec } from '../../lib/codecs/png.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { seeded } from '../../testing/random.ts';
import { imageCases } from '../support/image-cases.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';

const all = imageCases('png'),
  cases = all.filter(({ code }) => !code);
const caseOf = (part: string) => cases.find(({ name }) => name.includes(part))!;

/** Writes one part of a PNG file. */
function part(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}
const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
interface Header {
  width: number;
  height: number;
  rest: number[];
}
function ihdr({ width, height, rest }: Header): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set(rest, 8);
  return part('IHDR', data);
}
const header: Header = { width: 4, height: 3, rest: [8, 0, 0, 0, 0] };
const layout: ChunkLayout = { chunkSize: [4, 3, 1], channels: 1, dataType: 'uint8' };
const rows = Uint8Array.of(0, 1, 2, 3, 4, 0, 5, 6, 7, 8, 0, 9, 10, 11, 12),
  values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((value) => [BigInt(value)]);
const content = deflateSync(rows);
const IEND = part('IEND', new Uint8Array(0));
const file = (...parts: Uint8Array[]): Uint8Array => Buffer.concat([SIGNATURE, ...parts]);

describe('png', () => {
  test('the cases hold both types with 1 to 4 channels, by three writers, interlaced or not', () => {
    const kinds = new Set(cases.map(({ layout: { dataType, channels } }) => `${dataType} x${channels}`));
    expect(kinds.size).toBe(8);
    for (const writer of ['libspng', 'libpng', 'interlaced', 'large']) expect(caseOf(writer)).toBeDefined();
  });

  test.each(cases)('gives every value of $name', ({ layout: known, stream, raw }) => {
    const bytes = atOddOffset(stream);
    expect(Buffer.compare(runWithoutPause(pngCodec.toRaw!(bytes, known)), raw)).toBe(0);
    const offsets = allOffsets(known);
    expect(pointValues(pngCodec, bytes, known, offsets)).toEqual(pointValues(rawCodec, raw, known, offsets));
    expect(pngCodec.maxBytes(known)).toBeGreaterThanOrEqual(stream.length);
  });

  test.each([
    caseOf('uint8 x1, 17x45, libspng'),
    caseOf('uint16 x3, 48x4'),
    caseOf('uint8 x4, 17x45, interlaced'),
  ])(
    'gives the values of some voxels, in any order and repeated: $name',
    ({ layout: known, stream, raw }) => {
      const random = seeded(7);
      for (let turn = 0; turn < 20; turn++) {
        const offsets = Uint32Array.from({ length: 1 + random.below(20) }, () =>
          random.below(voxelsOf(known)),
        );
        expect(pointValues(pngCodec, stream, known, offsets)).toEqual(
          pointValues(rawCodec, raw, known, offsets),
        );
      }
    },
  );

  test.each(all.filter(({ code }) => code))('refuses a $name', ({ layout: known, stream, code }) => {
    expect(valuesOrCode(pngCodec, stream, known, Uint32Array.of(0))).toBe(code);
  });

  test('stops after the last wanted row, so that a cut file gives the rows before the cut', () => {
    const { stream, layout: known, raw } = caseOf('uint16 x3, large');
    const first = Uint32Array.of(0),
      last = Uint32Array.of(voxelsOf(known) - 1);
    const [start] = pointValues(rawCodec, raw, known, first);
    // IDAT parts are checked whole, so the first ends before a value can be read.
    let firstRead = Infinity;
    for (let length = 0; length < stream.length; length += 256) {
      const cut = stream.subarray(0, length);
      expect(valuesOrCode(pngCodec, cut, known, last)).toBe('TRUNCATED');
      const found = valuesOrCode(pngCodec, cut, known, first);
      if (found === 'TRUNCATED') expect(length).toBeLessThan(firstRead);
      else {
        expect(found).toEqual([start]);
        firstRead = Math.min(firstRead, length);
      }
    }
    expect(firstRead).toBeLessThan(stream.length);
  });

  test('reads image data in parts of any length, and skips parts that do not change pixels', () => {
    const bytes = file(
      ihdr(header),
      part('gAMA', Uint8Array.of(0, 0, 177, 143)),
      part('tEXt', Buffer.from('a\0b')),
      part('IDAT', content.subarray(0, 1)),
      part('IDAT', new Uint8Array(0)),
      ...Array.from(content.subarray(1), (byte) => part('IDAT', Uint8Array.of(byte))),
      IEND,
    );
    expect(pointValues(pngCodec, bytes, layout, allOffsets(layout))).toEqual(values);
  });

  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1;
    return copy;
  };
  const head = ihdr(header),
    data = part('IDAT', content);
  const withFilter = (filter: number): Buffer =>
    part('IDAT', deflateSync(Uint8Array.of(filter, ...rows.subarray(1))));
  test.each<[string, string, Uint8Array]>([
    ['TRUNCATED', 'no bytes', new Uint8Array(0)],
    ['TRUNCATED', 'a signature only', SIGNATURE],
    ['BAD_HEADER', 'another signature', flipped(SIGNATURE, 5)],
    ['BAD_HEADER', 'a file that begins with IDAT', file(data, head, IEND)],
    ['BAD_CHECKSUM', 'a changed IHDR', file(flipped(head, 11), data, IEND)],
    ['BAD_CHECKSUM', 'a changed IDAT', file(head, flipped(data, 12), IEND)],
    ['BAD_CHECKSUM', 'a changed CRC', file(head, flipped(data, data.length - 1), IEND)],
    ['BAD_HEADER', 'other pixels than voxels', file(ihdr({ ...header, width: 5 }), data, IEND)],
    [
      'BAD_HEADER',
      'a huge size',
      file(ihdr({ ...header, width: 0xffffffff, height: 0xffffffff }), data, IEND),
    ],
    ['BAD_HEADER', 'no pixels', file(ihdr({ ...header, width: 0 }), data, IEND)],
    [
      'BAD_HEADER',
      '16 bits in a volume of uint8',
      file(ihdr({ ...header, rest: [16, 0, 0, 0, 0] }), data, IEND),
    ],
    [
      'BAD_HEADER',
      'three channels in a volume of one',
      file(ihdr({ ...header, rest: [8, 2, 0, 0, 0] }), data, IEND),
    ],
    ['BAD_HEADER', 'an unknown colour type', file(ihdr({ ...header, rest: [8, 7, 0, 0, 0] }), data, IEND)],
    ['BAD_HEADER', 'an unknown depth', file(ihdr({ ...header, rest: [9, 0, 0, 0, 0] }), data, IEND)],
    ['BAD_HEADER', 'an unknown compression', file(ihdr({ ...header, rest: [8, 0, 1, 0, 0] }), data, IEND)],
    ['BAD_HEADER', 'an unknown filter method', file(ihdr({ ...header, rest: [8, 0, 0, 1, 0] }), data, IEND)],
    [
      'BAD_HEADER',
      'an unknown interlace method',
      file(ihdr({ ...header, rest: [8, 0, 0, 0, 2] }), data, IEND),
    ],
    ['BAD_HEADER', 'a second IHDR', file(head, head, data, IEND)],
    ['BAD_HEADER', 'a palette of a grey image', file(head, part('PLTE', new Uint8Array(3)), data, IEND)],
    [
      'UNSUPPORTED',
      'an unknown part that changes pixels',
      file(head, part('XYZA', new Uint8Array(3)), data, IEND),
    ],
    ['BAD_HEADER', 'a part without a name', file(head, part('\0\0\0\0', new Uint8Array(3)), data, IEND)],
    ['TRUNCATED', 'no image data', file(head, IEND)],
    [
      'TRUNCATED',
      'image data in two places',
      file(
        head,
        part('IDAT', content.subarray(0, 4)),
        part('tEXt', new Uint8Array(1)),
        part('IDAT', content.subarray(4)),
        IEND,
      ),
    ],
    ['TRUNCATED', 'fewer rows', file(head, part('IDAT', deflateSync(rows.subarray(0, 12))), IEND)],
    ['BAD_BITSTREAM', 'no zlib stream', file(head, part('IDAT', Buffer.from('not zlib')), IEND)],
    ['BAD_BITSTREAM', 'an unknown filter', file(head, withFilter(5), IEND)],
  ])('gives %s for %s', (code, _, bytes) => {
    expect(valuesOrCode(pngCodec, bytes, layout, Uint32Array.of(11))).toBe(code);
  });

  test('reads no more than the image, however much is compressed', () => {
    const bomb = part('IDAT', deflateSync(Buffer.concat([rows, Buffer.alloc(2 ** 26)])));
    const work = pngCodec.toRaw!(file(head, bomb, IEND), layout);
    let windows = 1;
    while (!work.next().done) windows++;
    expect(windows).toBeLessThanOrEqual(2);
    expect(pointValues(pngCodec, file(head, bomb, IEND), layout, allOffsets(layout))).toEqual(values);
  });

  test('reads nothing for no voxels', () => {
    expect(pointValues(pngCodec, caseOf('large').stream, caseOf('large').layout, new Uint32Array(0))).toEqual(
      [],
    );
  });

  test('pauses within a chunk', () => {
    for (const { stream, layout: known } of cases.filter(({ name }) => name.includes('uint16 x3, large'))) {
      const work = pngCodec.toRaw!(stream, known);
      let pauses = 0;
      while (!work.next().done) pauses++;
      expect(pauses).toBeGreaterThanOrEqual(2);
    }
  });
});
