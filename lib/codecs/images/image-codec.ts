/**
 * The parts that the encodings share whose library decodes a whole image, to bytes with the channels
 * interleaved.
 */
import { inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { product } from '../../base/vec3.ts';
import type { ChunkLayout, Codec } from '../codec.ts';

/** Pixels of one byte per channel, row after row. */
export interface DecodedImage {
  pixels: Uint8Array;
  /** Whether the pixels are in the memory of the decoder, which the next image overwrites. */
  isLent: boolean;
  /** Bytes from one pixel to the next: the channels of the chunk, or more. */
  step: number;
}

/** How an encoding decodes. */
export interface ImageEncoding {
  encoding: string;
  packageName: string;
  channels: readonly number[];
  load: () => Promise<void>;
  /** About how many milliseconds an image of so many values takes; see {@link Codec.holdsThreadMs}. */
  decodeMs: (values: number) => number;
  /**
   * Decodes a whole image, after it has checked that its size is that of the chunk.
   * @param read Called with the image, whose pixels are there until `read` returns.
   * @returns What `read` returns.
   * @throws DecodeError
   */
  decode: <T>(bytes: Uint8Array, layout: ChunkLayout, read: (image: DecodedImage) => T) => T;
  /**
   * Reads points without decoding the whole image, as {@link Codec.decodePoints} does.
   * @returns False if this is not possible, or not worth it.
   * @throws DecodeError
   */
  readFew?: (...points: Parameters<Codec['decodePoints']>) => PausableWork<boolean>;
}

/** Parts that are not image data, such as colour profiles, may take this much. */
const METADATA_BYTES = 2 ** 20;

/** More points than this are read with pauses, from a copy. */
const MAX_POINTS_IN_PLACE = 2 ** 18;

const kept = (image: DecodedImage): DecodedImage =>
  image.isLent ? { ...image, pixels: image.pixels.slice(), isLent: false } : image;

/** Creates the codec of an encoding that holds an image of uint8. */
export function createImageCodec({ decode, decodeMs, readFew, ...encoding }: ImageEncoding): Codec {
  return {
    ...encoding,
    dataTypes: ['uint8'],

    *decodePoints(bytes, layout, offsets, out, outIndex): PausableWork {
      if (readFew && (yield* readFew(bytes, layout, offsets, out, outIndex))) return;
      const { channels } = layout;
      const readSome = ({ pixels, step }: DecodedImage, first: number, end: number): void => {
        for (let k = first; k < end; k++) {
          const from = offsets[k] * step,
            to = outIndex[k] * channels;
          for (let c = 0; c < channels; c++) out[to + c] = pixels[from + c];
        }
      };
      if (offsets.length <= MAX_POINTS_IN_PLACE) {
        decode(bytes, layout, (image) => readSome(image, 0, offsets.length));
        return;
      }
      const image = decode(bytes, layout, kept);
      yield;
      yield* inStretches(offsets.length, (first, end) => readSome(image, first, end));
    },

    *toRaw(bytes, layout): PausableWork<Uint8Array> {
      const { pixels, step } = decode(bytes, layout, kept),
        { channels } = layout,
        voxels = product(layout.chunkSize);
      if (step === 1) return pixels;
      yield;
      const raw = new Uint8Array(voxels * channels);
      for (let c = 0; c < channels; c++)
        yield* inStretches(voxels, (from, end) => {
          for (let k = from, to = c * voxels + from; k < end; k++) raw[to++] = pixels[k * step + c];
        });
      return raw;
    },

    holdsThreadMs: ({ chunkSize, channels }) => decodeMs(product(chunkSize) * channels),

    maxBytes: ({ chunkSize, channels }) => METADATA_BYTES + 4 * product(chunkSize) * channels,
  };
}
