import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { runWithoutPause } from '../../../lib/base/cooperative-work.ts';
import { fpzipCodec } from '../../../lib/codecs/fpzip.ts';
import type { Vec3 } from '../../../lib/base/vec3.ts';

/**
 * Values of very different sizes, so that some predictions are rounded. pip's fpzip 1.2.5 wrote them and read the
 * bytes whose hash is here.
 */
const CHUNKS: { chunkSize: Vec3; precision: number; sha256: string; text: string }[] = [
  {
    chunkSize: [18, 2, 5],
    precision: 9,
    sha256: '543ca469e5813561d322d59bc8ab27cca4abb45345a28636516f40e9690a3e90',
    text: `
ZnB5KYcO8Qf3Ee4AAAH+AAAE+wAAAP8A5GwelFpWapM5jzqy00LEXnWaB8fRRWuVPBHQ7sLejuKUvYQpJeyzOtCMp7k2qvW3LA==`,
  },
  {
    chunkSize: [12, 2, 6],
    precision: 15,
    sha256: '3f4f4b8c7a937f98cd4e16a2c70471ab313bf34148144b01c31e430260ba47fa',
    text: `
ZnB5KYcO8Q3xC/QAAAH+AAAF+gAAAP8A7rGy6huCaoBUSXcrX+5abt1vJxM93qUyD/ClQ9DDKrdl//BDrGei4Kg7SeqS/b63jIg/1eIA`,
  },
  {
    chunkSize: [11, 13, 6],
    precision: 10,
    sha256: '81164db76bfda1a2ddcff26d9626a02d307e5a2af02f69dc6ed97722599a2eba',
    text: `
ZnB5KYcO8Qj2CvUAAAzzAAAF+gAAAP8A5u+b4TNC/8gUkRTNxXdUQsmFk5lWZO1Qhulsf2xtt/6dmmv5BmfExzir0N10xo4MjYExXsZkoH2FyXcUw/LYrA
0hE96A5jHlidiQvumYHHYqpUd6lRL04REcqIW8HrvOs3uL+RJ/P+JOXXirlfJCJ+SzaPjw+OTBZ0nmJDZAhw9gWnhND6XgvTHbg58QejDz+4OPu2FBrQfw
1jfRij/k33AaQ376evXU2JoWBe1C4HK9CsjnrC2RQ1kX6WtFUIaTM6yrckenOgSh2oIV5JLtdnMCXXEHatHBP1S5LxWqt6qnMO/Bx2g4phLSqV9/TuoiPw
ENtfky7Lx4BZUjOmUnDSELtzAXzJVLEULgdtoUY0c7fueHsBBXYxYsoj6eBTqDQ4tHdxkKIP6TW7cjCZ42tBVdGmE8QUh3YFW0c4QKC92xeeS1xQ==`,
  },
];

test.each(CHUNKS)(
  'gives every bit where predictions of $precision bits are rounded: $chunkSize',
  ({ chunkSize, sha256, text }) => {
    const layout = { chunkSize, channels: 1, dataType: 'float32' } as const;
    const raw = runWithoutPause(fpzipCodec.toRaw!(new Uint8Array(Buffer.from(text, 'base64')), layout));
    expect(createHash('sha256').update(raw).digest('hex')).toBe(sha256);
  },
);
