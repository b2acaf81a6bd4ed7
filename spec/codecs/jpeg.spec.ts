import { beforeAll, describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { jpegCodec } from '../../lib/codecs/jpeg.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { seeded } from '../../testing/random.ts';
import { imageCases } from '../support/image-cases.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';

const cases = imageCases('jpeg');
const caseOf = (part: string) => cases.find(({ name }) => name.includes(part))!;
const { stream, layout } = caseOf('x1, 17x45, quality 75');
/** Where the frame header is: after its marker. */
const frameAt = stream.findIndex((byte, k) => byte === 0xff && stream[k + 1] === 0xc0) + 2;
const changed = (at: number, ...bytes: number[]): Uint8Array => {
  const copy = stream.slice();
  copy.set(bytes, at);
  return copy;
};

beforeAll(() => jpegCodec.load!());

describe('jpeg', () => {
  test.each(cases)('gives every value of $name', ({ layout: known, stream: bytes, raw }) => {
    expect(Buffer.compare(runWithoutPause(jpegCodec.toRaw!(atOddOffset(bytes), known)), raw)).toBe(0);
    const offsets = allOffsets(known);
    expect(pointValues(jpegCodec, atOddOffset(bytes), known, offsets)).toEqual(
      pointValues(rawCodec, raw, known, offsets),
    );
    expect(jpegCodec.maxBytes(known)).toBeGreaterThanOrEqual(bytes.length);
  });

  test('gives the values of some voxels, in any order and repeated', () => {
    const random = seeded(7),
      { layout: known, stream: bytes, raw } = caseOf('x3, 17x45, quality 75, 420');
    for (let turn = 0; turn < 20; turn++) {
      const offsets = Uint32Array.from({ length: 1 + random.below(20) }, () => random.below(voxelsOf(known)));
      expect(pointValues(jpegCodec, bytes, known, offsets)).toEqual(
        pointValues(rawCodec, raw, known, offsets),
      );
    }
  });

  test.each<[string, string, Uint8Array]>([
    ['TRUNCATED', 'no bytes', new Uint8Array(0)],
    ['TRUNCATED', 'a cut header', stream.subarray(0, frameAt + 4)],
    ['BAD_HEADER', 'another file', Buffer.from('not a jpeg')],
    ['BAD_HEADER', 'bytes between segments', changed(2, 0)],
    ['BAD_HEADER', 'other pixels than voxels', changed(frameAt + 3, 0, 44)],
    ['BAD_HEADER', 'a huge size', changed(frameAt + 3, 255, 255, 255, 255)],
    ['BAD_HEADER', 'three channels', changed(frameAt + 7, 3)],
    ['BAD_HEADER', 'no frame header', Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2)],
    ['BAD_HEADER', 'the end before the image data', Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)],
    ['UNSUPPORTED', '12 bits', changed(frameAt + 2, 12)],
    ['UNSUPPORTED', 'a lossless frame', changed(frameAt - 1, 0xc3)],
    ['UNSUPPORTED', 'an arithmetic frame', changed(frameAt - 1, 0xc9)],
    ['UNSUPPORTED', 'no height', changed(frameAt + 3, 0, 0)],
    ['BAD_BITSTREAM', 'a cut image', stream.subarray(0, stream.length - 20)],
    ['BAD_BITSTREAM', 'half an image', stream.subarray(0, (frameAt + stream.length) >> 1)],
  ])('gives %s for %s', (code, _, bytes) => {
    // The last voxel: those before it do not need the end of the image.
    expect(valuesOrCode(jpegCodec, bytes, layout, Uint32Array.of(voxelsOf(layout) - 1))).toBe(code);
  });

  test('reads a good chunk after any number of broken ones', () => {
    const { raw } = caseOf('x1, 17x45, quality 75'),
      offsets = Uint32Array.of(0, 100, 764);
    for (let turn = 0; turn < 40; turn++)
      expect(valuesOrCode(jpegCodec, stream.subarray(0, stream.length - 20 - turn), layout, offsets)).toBe(
        'BAD_BITSTREAM',
      );
    expect(pointValues(jpegCodec, stream, layout, offsets)).toEqual(
      pointValues(rawCodec, raw, layout, offsets),
    );
  });
});
