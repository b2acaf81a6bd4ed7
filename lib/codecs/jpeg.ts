/**
 * Reads points of the `jpeg` encoding: one image whose pixels, row after row, are the voxels of the chunk, x
 * fastest; grey for one channel, colours for three. The image may have any width and height with as many
 * pixels as the chunk has voxels. The size in the file is checked against the chunk's first.
 *
 * For few points in an image of one scan with Huffman codes, without chroma subsampling, this project's own reader
 * goes past the blocks up to the last wanted one and decodes only those with points. It leaves all other images, many
 * points, whole chunks and whatever looks unusual to libjpeg-turbo, as WebAssembly, which decodes a whole image and
 * holds its thread meanwhile. Both give the same values.
 *
 * The format has no checksum: damage within the image data gives other values, or an error. Damage after the last
 * wanted block is not seen.
 *
 * Source: Neuroglancer, src/datasource/precomputed/volume.md, "jpeg chunk encoding".
 */
import { DecodeError } from '../base/errors.ts';
import type { PausableWork } from '../base/cooperative-work.ts';
import { formatVec3, product } from '../base/vec3.ts';
import type { ChunkLayout, Codec } from './codec.ts';
import { createImageCodec, type DecodedImage } from './images/image-codec.ts';
import { WasmDecoder } from './images/wasm-decoder.ts';
import { readBlockImage } from './jpeg/block-image.ts';
import { readJpegFrame, type JpegFrame } from './jpeg/jpeg-header.ts';
import { readJpegPoints, wantedShare } from './jpeg/jpeg-points.ts';

const PACKAGE = '@cornerstonejs/codec-libjpeg-turbo-8bit';

/** Measured for the library: 10 to 14 ms for 128 x 128 x 64 values. */
const NS_PER_VALUE = 14;

interface TurboDecoder {
  getEncodedBuffer: (bytes: number) => Uint8Array;
  decode: () => void;
  getDecodedBuffer: () => Uint8ClampedArray;
  delete: () => void;
}

const decoder = new WasmDecoder<{ JPEGDecoder: new () => TurboDecoder; HEAPU8: Uint8Array }>({
  script: `${PACKAGE}/decodewasmjs`,
  wasm: `${PACKAGE}/decodewasm`,
});

/** If more of the blocks hold points, the library is quicker: measured at 0.25, and sooner in a process's first calls. */
const MOST_WANTED = 0.2;

/** @throws DecodeError if the image does not have the chunk's size and channels. */
function checkFrame(bytes: Uint8Array, { chunkSize, channels }: ChunkLayout): JpegFrame {
  const frame = readJpegFrame(bytes),
    { width, height, components } = frame;
  if (components !== channels)
    throw new DecodeError('BAD_HEADER', `jpeg: ${components} channel(s), expected ${channels}`);
  if (width * height !== product(chunkSize))
    throw new DecodeError(
      'BAD_HEADER',
      `jpeg: ${width}x${height} pixels, expected as many as there are voxels in ${formatVec3(chunkSize)}`,
    );
  return frame;
}

function* readFew(
  ...[bytes, layout, offsets, out, outIndex]: Parameters<Codec['decodePoints']>
): PausableWork<boolean> {
  checkFrame(bytes, layout);
  const image = readBlockImage(bytes);
  if (!image || wantedShare(image, offsets) > MOST_WANTED) return false;
  return yield* readJpegPoints(bytes, image, offsets, out, outIndex);
}

function decode<T>(bytes: Uint8Array, layout: ChunkLayout, read: (image: DecodedImage) => T): T {
  const { width, height } = checkFrame(bytes, layout),
    { channels } = layout;
  const values = width * height * channels;
  try {
    return decoder.run(values, ({ JPEGDecoder }) => {
      const image = new JPEGDecoder();
      try {
        image.getEncodedBuffer(bytes.length).set(bytes);
        image.decode();
        const { buffer, byteOffset, length } = image.getDecodedBuffer();
        if (length !== values)
          throw new DecodeError('BAD_BITSTREAM', `jpeg: ${length} values of ${width}x${height} pixels`);
        const pixels = new Uint8Array(buffer, byteOffset, length);
        return read({ pixels, isLent: true, step: channels });
      } finally {
        image.delete();
      }
    });
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause;
    // The decoder's warnings are errors, too: an image that is cut is otherwise filled with grey.
    throw new DecodeError('BAD_BITSTREAM', 'jpeg: the image data is broken or cut', { cause });
  }
}

/** The codec of `jpeg`. */
export const jpegCodec = createImageCodec({
  encoding: 'jpeg',
  packageName: PACKAGE,
  channels: [1, 3],
  load: () => decoder.load(),
  decodeMs: (values) => NS_PER_VALUE * 1e-6 * values,
  decode,
  readFew,
});
