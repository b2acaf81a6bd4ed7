import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { jxlCodec } from '../../lib/codecs/jxl.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { imageCases } from '../support/image-cases.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode } from '../support/point-decode.ts';

const cases = imageCases('jxl'),
  lossless = cases.filter(({ name }) => name.includes('lossless'));
const { stream, layout, raw } = cases[0];
const largestDifference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k])), 0);
/** Puts a codestream into a container, in one box or two. */
function inContainer(bytes: Uint8Array, isSplit = false): Buffer {
  const box = (type: string, ...data: Uint8Array[]): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + data.reduce((sum, { length }) => sum + length, 0));
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, ...data]);
  };
  const parts = isSplit
    ? [
        box('jxlp', Uint8Array.of(0, 0, 0, 0), bytes.subarray(0, 20)),
        box('jxlp', Uint8Array.of(128, 0, 0, 1), bytes.subarray(20)),
      ]
    : [box('jxlc', bytes)];
  return Buffer.concat([
    box('JXL ', Uint8Array.of(13, 10, 0x87, 10)),
    box('ftyp', Buffer.from('jxl \0\0\0\0jxl ', 'latin1')),
    ...parts,
  ]);
}

beforeAll(() => jxlCodec.load!());

describe('jxl', () => {
  test.each(lossless)('gives every value of $name', ({ layout: known, stream: bytes, raw: expected }) => {
    expect(Buffer.compare(runWithoutPause(jxlCodec.toRaw!(atOddOffset(bytes), known)), expected)).toBe(0);
    const offsets = allOffsets(known);
    expect(pointValues(jxlCodec, atOddOffset(bytes), known, offsets)).toEqual(
      pointValues(rawCodec, expected, known, offsets),
    );
    expect(jxlCodec.maxBytes(known)).toBeGreaterThanOrEqual(bytes.length);
  });

  test.each(cases.filter((one) => !lossless.includes(one)))(
    'gives values within 1 of another build of libjxl: $name',
    ({ layout: known, stream: bytes, raw: expected }) => {
      expect(largestDifference(runWithoutPause(jxlCodec.toRaw!(bytes, known)), expected)).toBeLessThanOrEqual(
        1,
      );
    },
  );

  test.each([false, true])('reads a codestream in a container, in two boxes: %s', (isSplit) => {
    expect(Buffer.compare(runWithoutPause(jxlCodec.toRaw!(inContainer(stream, isSplit), layout)), raw)).toBe(
      0,
    );
  });

  test('leaves nothing in the globals', () => {
    const before = Object.getOwnPropertyNames(globalThis);
    runWithoutPause(jxlCodec.toRaw!(stream, layout));
    expect(Object.getOwnPropertyNames(globalThis)).toEqual(before);
    expect('_icodec_ImageData' in globalThis).toBe(false);
  });

  const other = { ...layout, chunkSize: [17, 9, 6] as const };
  test.each([
    ['TRUNCATED', 'no bytes', new Uint8Array(0), layout],
    ['TRUNCATED', 'a cut header', stream.subarray(0, 5), layout],
    ['TRUNCATED', 'a container without a codestream', inContainer(stream).subarray(0, 30), layout],
    ['BAD_HEADER', 'another file', Buffer.from('not jpeg xl'), layout],
    ['BAD_HEADER', 'other pixels than voxels', stream, other],
    ['BAD_HEADER', 'one channel for three', stream, { ...layout, channels: 3 }],
    ['BAD_BITSTREAM', 'a cut image', stream.subarray(0, stream.length >> 1), layout],
  ])('gives %s for %s', (code, _, bytes, known) => {
    expect(valuesOrCode(jxlCodec, bytes, known, Uint32Array.of(3))).toBe(code);
  });

  test('refuses three channels in three frames, as CloudVolume writes them', () => {
    const chunk = readFileSync(new URL('../fixtures/codecs/images/three-frames.jxl', import.meta.url));
    const known = { chunkSize: [16, 8, 6] as const, channels: 3, dataType: 'uint8' as const };
    expect(() => runWithoutPause(jxlCodec.toRaw!(chunk, known))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('several frames') }),
    );
  });
});
