import { beforeAll, describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../../lib/base/cooperative-work.ts';
import { WasmDecoder } from '../../../lib/codecs/images/wasm-decoder.ts';
import { readBlockImage } from '../../../lib/codecs/jpeg/block-image.ts';
import { readJpegFrame } from '../../../lib/codecs/jpeg/jpeg-header.ts';
import { readJpegPoints, wantedShare } from '../../../lib/codecs/jpeg/jpeg-points.ts';
import { seeded } from '../../../testing/random.ts';
import { imageCases } from '../../support/image-cases.ts';
import { atOddOffset } from '../../support/point-decode.ts';
import { rounds } from '../../support/rounds.ts';

/** Written by Pillow 12, with codes made for the image. */
const IMAGES = {
  'grey, with a restart after every two blocks': `
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+
gXz/wAALCAAjABUBAREA/8QAGAABAQADAAAAAAAAAAAAAAAABQYBAwT/xAAmEAACAQMDAwQDAAAAAAAAAAABAgQAAxEFITESImETFEGxgdHw/90ABAAC
/9oACAEBAAA/AFZFxIcUjONqlLzPMlcHniv/0EdNgrbjAMBnzQ2uTvUuG2pOPkV//9HXocAlw7jzTMuWsZwg+8V//9IiLbedLLHcZqutqkGHkbHmv//T
L1Cc9yS3QwAH98U7ocEWUDuMZGd6/9TOuz8IbaHxRMOE19GbJH4zX//VaICaeSoAPT+6j5xLy+453H3X/9bv0e0ntB2jmv/Z`,
  'colours, with a restart after every row': `
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5mo
q6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAUABIDAREAAhEB
AxEB/8QAFwABAQEBAAAAAAAAAAAAAAAABQQCA//EAB4QAAEFAQADAQAAAAAAAAAAAAEAAgMEESEFEiIx/8QAGQEAAwEBAQAAAAAAAAAAAAAAAgMEAQUA
/8QAHBEAAgMBAQEBAAAAAAAAAAAAAAECAxEhMRIT/90ABAAD/9oADAMBAAIRAxEAPwBN3rXi5xbFazJPEBXbJlkwdTnJRQquH0zkInYOKZ3HRVSP/9DP
k7u60FGuAtayOnAZX6Uiye8KaoqK0VFZuJGMP9T/0SnuL5/orz8CiujlCJoYCB1T+sbN5HhQXu39VCgsOe5vT//Z`,
  'grey, with divisors of two bytes': `
/9j/4AAQSkZJRgABAQAAAQABAAD/2wCDEAAIABEAUACYAFkAGgAjAGIAoQDgASgA6QCqAGsALAA1AHQAswDyATEBcAG4AXkBOgD7ALwAfQA+AEcAhgDF
AQQBQwGCAcECAAIJAcoBiwFMAQ0AzgCPANcBFgFVAZQB0wISAhsB3AGdAV4BHwFnAaYB5QIkAi0B7gGvAfcCNgI//8EACwgAEwALAQERAP/EABYAAQEB
AAAAAAAAAAAAAAAAAAYHA//EACEQAAECBAcAAAAAAAAAAAAAAAABAgMEInEFERIjM4HB/9oACAEBAAA/AHMwumEQ6K+tbiXGH5uDcNtKGC83fpZpdNtt
j//Z`,
  'colours of noise, with a restart after every block': `
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/
2wBDAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAARCAAIABADAREAAhEBAxEB/8QA
FQABAQAAAAAAAAAAAAAAAAAAAwj/xAAcEAEBAAMBAQEBAAAAAAAAAAAHBgQFCAMBAhb/xAAVAQEBAAAAAAAAAAAAAAAAAAAHBv/EAB0RAAIDAQEBAQEAAAAA
AAAAAAYHBAUIAwECFRb/3QAEAAH/2gAMAwEAAhEDEQA/AEEOdrS4kWRbcrC86Ak4OD6aC7fJ0FyiRGD6I1acTkTn88dtrk30DpnRG5qSXzWxX8KO84Zz0i7X
2WKWu7F/Jhc0ueUlEHE1KPUzAgrgRRNei2T92AS97zOP3nhQQYuX8/SWm8OY6XrxI6BUY/mw04jyLcIxF0QzjGxwBVKZREBAX5XMDKO19ru0+VLlrIY9VIK3
klnwwDVI5w8QccgU5DkJRUxeGjfp6FHTzpDWMQfz6YdTfNliRzH+43wc6JDhJTqmgZmp2o2k3U5Kbua//9CdUJwjxF4NZb4SS+uqOy5ALKerQSH6HSdiK6s6
tpir03uOBEQTATjccvc5R+XWimYZYchp0mU9KJs6Y5YIUjoQlkr+m+N69qSOgIHaNtFJnY7aqC7+L0B4KkEZBTdOQnWVZek9e8Kc8u6aBBYbQMqda2Vzj9Y+
MZKXGZ+OGvppFB3h8rt78SaZ8KgEz9U5P1zwVSsHCKWSHITozTuHcsghOgfpVOo7QugDEr9LrfpUZ1IG3I8nYvdvmssvMmovGCKQHS4mp3uQ4JcDi//Z`,
};
const images = Object.entries(IMAGES).map(([name, text]) => ({
  name,
  stream: new Uint8Array(Buffer.from(text, 'base64')),
}));
const cases = imageCases('jpeg'),
  streams = [...images, ...cases].map(({ stream }) => stream);

interface Turbo {
  JPEGDecoder: new () => {
    getEncodedBuffer: (bytes: number) => Uint8Array;
    decode: () => void;
    getDecodedBuffer: () => Uint8Array;
    delete: () => void;
  };
  HEAPU8: Uint8Array;
}
const library = new WasmDecoder<Turbo>({
  script: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs',
  wasm: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm',
});

/** Decodes with libjpeg-turbo: what it had decoded when it failed, too. */
function decodeWhole(bytes: Uint8Array): { isGood: boolean; pixels: Uint8Array } {
  let pixels = new Uint8Array(0);
  try {
    library.run(bytes.length + 1e6, ({ JPEGDecoder }) => {
      const image = new JPEGDecoder();
      try {
        image.getEncodedBuffer(bytes.length).set(bytes);
        image.decode();
      } finally {
        pixels = image.getDecodedBuffer().slice();
        image.delete();
      }
    });
    return { isGood: true, pixels };
  } catch {
    return { isGood: false, pixels };
  }
}

/** Reads points; undefined if that is left to the library. */
function read(bytes: Uint8Array, offsets: Uint32Array): number[] | undefined {
  const image = readBlockImage(bytes);
  if (!image) return undefined;
  const out = new Uint8Array(offsets.length * image.components.length),
    // Reversed, so that a mistake in outIndex shows.
    outIndex = Uint32Array.from(offsets, (_, k) => offsets.length - 1 - k);
  if (!runWithoutPause(readJpegPoints(bytes, image, offsets, out, outIndex))) return undefined;
  return Array.from(outIndex, (to) => [
    ...out.subarray(to * image.components.length, (to + 1) * image.components.length),
  ]).flat();
}

const pixelsOf = (bytes: Uint8Array): Uint32Array => {
  const { width, height } = readJpegFrame(bytes);
  return Uint32Array.from({ length: width * height }, (_, k) => k);
};

beforeAll(() => library.load());

describe('points of a JPEG image', () => {
  test.each(cases)('are those of $name, or are left to the library', ({ name, stream, layout, raw }) => {
    const pixels = pixelsOf(stream),
      found = read(atOddOffset(stream), pixels);
    expect(found === undefined).toBe(/42[02]|progressive|optimize/.test(name));
    if (!found) return;
    const { channels } = layout;
    expect(found).toEqual(
      Array.from(found, (_, k) => raw[(k % channels) * pixels.length + Math.floor(k / channels)]),
    );
  });

  test.each(images)('are those that the library reads: $name', ({ stream }) => {
    const { isGood, pixels } = decodeWhole(stream);
    expect(isGood).toBe(true);
    expect(read(stream, pixelsOf(stream))).toEqual([...pixels]);
  });

  test('may be any, in any order and repeated', () => {
    const random = seeded(41);
    for (const { stream } of images) {
      const { pixels } = decodeWhole(stream),
        { components, width, height } = readJpegFrame(stream);
      for (let turn = 0; turn < 20; turn++) {
        const offsets = Uint32Array.from({ length: random.below(5) }, () => random.below(width * height));
        expect(read(stream, offsets)).toEqual(
          [...offsets].flatMap((offset) => [
            ...pixels.subarray(offset * components, (offset + 1) * components),
          ]),
        );
      }
    }
  });

  test('may be in an image that is read in many pieces', () => {
    const short = images[3].stream,
      rows = 100;
    const dataAt = short.findIndex((byte, k) => byte === 0xff && short[k + 1] === 0xda) + 14,
      restartAt =
        dataAt +
        short.subarray(dataAt).findIndex((byte, k) => byte === 0xff && short[dataAt + k + 1] >= 0xd0);
    const units = [short.subarray(dataAt, restartAt), short.subarray(restartAt + 2, short.length - 2)];
    const tall = Buffer.concat([
      short.subarray(0, dataAt),
      ...Array.from({ length: 2 * rows }, (_, k) => [
        units[k % 2],
        Uint8Array.of(0xff, k + 1 < 2 * rows ? 0xd0 + (k % 8) : 0xd9),
      ]).flat(),
    ]);
    const frameAt = tall.findIndex((byte, k) => byte === 0xff && tall[k + 1] === 0xc0);
    tall.writeUInt16BE(8 * rows, frameAt + 5);
    expect(tall.length).toBeGreaterThan(20_000);
    const { isGood, pixels } = decodeWhole(tall);
    expect(isGood).toBe(true);
    expect(Buffer.compare(Uint8Array.from(read(tall, pixelsOf(tall))!), Uint8Array.from(pixels))).toBe(0);
  });

  test('need the image up to their block, and the last one needs its end', () => {
    const [{ stream }] = images,
      { width, height } = readJpegFrame(stream),
      last = Uint32Array.of(width * height - 1);
    const whole = read(stream, Uint32Array.of(0)),
      cut = stream.subarray(0, stream.length - 2);
    expect(read(cut, Uint32Array.of(0))).toEqual(whole);
    expect(read(stream, last)).toHaveLength(1);
    expect(read(cut, last)).toBe(undefined);
    // The first restart comes after two blocks.
    const readable = stream.findIndex((byte, k) => byte === 0xff && stream[k + 1] === 0xd0);
    expect(read(stream.subarray(0, readable), Uint32Array.of(15))).toEqual(read(stream, Uint32Array.of(15)));
    expect(read(stream.subarray(0, readable), Uint32Array.of(16))).toBe(undefined);
    const otherRestart = stream.slice();
    otherRestart[readable + 1] = 0xd3;
    expect(read(otherRestart, Uint32Array.of(16))).toBe(undefined);
  });

  test("are the library's or left to it, whatever was changed", () => {
    const random = seeded(29),
      outcomes = { same: 0, left: 0, behind: 0 };
    for (let turn = 0; turn < rounds(400); turn++) {
      const stream = streams[random.below(streams.length)],
        bytes = stream.slice(0, stream.length - random.pick([0, 0, 0, random.below(60)]));
      for (let n = 1 + random.below(3); n > 0; n--)
        bytes[random.below(bytes.length)] = random.pick([0, 0xd0, 0xd9, 0xff, random.below(256)]);
      let frame;
      try {
        frame = readJpegFrame(bytes);
      } catch {
        continue;
      }
      const { width, height, components } = frame;
      if (width * height === 0 || width * height * components > 20_000) continue;
      const offset = random.below(width * height),
        found = read(atOddOffset(bytes), Uint32Array.of(offset));
      if (!found) {
        outcomes.left++;
        continue;
      }
      const { isGood, pixels } = decodeWhole(bytes);
      // The library, too, has read this block without a fault, whatever it found later.
      expect(found).toEqual([...pixels.subarray(offset * components, (offset + 1) * components)]);
      outcomes[isGood ? 'same' : 'behind']++;
    }
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(rounds(5));
  });

  test('are counted by their blocks', () => {
    const image = readBlockImage(images[0].stream)!;
    // 21 x 35 pixels: 3 x 5 blocks.
    expect(wantedShare(image, Uint32Array.of(0, 7, 21 * 7))).toBe(1 / 15);
    expect(wantedShare(image, Uint32Array.of(0, 8, 21 * 8))).toBe(3 / 15);
    expect(wantedShare(image, pixelsOf(images[0].stream))).toBe(1);
  });
});
