/**
 * Reads points of the `jxl` encoding (JPEG XL): one image whose pixels, row after row, are the voxels of the
 * chunk, x fastest; grey for one channel, colours for three. libjxl, as WebAssembly, decodes it whole, and so
 * holds its thread meanwhile. The size in the file is checked against the chunk's before that.
 *
 * Several frames, as CloudVolume writes three channels, are not supported: the decoder gives only the first.
 *
 * Source: Neuroglancer, src/sliceview/backend_chunk_decoders/jxl.ts, for the order of voxels; CloudVolume,
 * cloudvolume/chunks.py, `encode_jpegxl`.
 */
import { DecodeError } from '../base/errors.ts';
import { formatVec3, product } from '../base/vec3.ts';
import type { ChunkLayout } from './codec.ts';
import { createImageCodec, type DecodedImage } from './images/image-codec.ts';
import { WasmDecoder } from './images/wasm-decoder.ts';
import { readJxlHeader } from './jxl/jxl-header.ts';

const PACKAGE = 'icodec';

/** What the decoder makes of an image. */
interface RgbaImage {
  data: Uint8ClampedArray;
}

/** The global function with which the decoder makes its result. */
const MAKE_IMAGE = '_icodec_ImageData';
const makeImage = (data: Uint8ClampedArray): RgbaImage => ({ data });

/**
 * Gives the decoder the global function while it runs. It never waits within a call, so no other code sees
 * the function.
 */
function withMakeImage<T>(act: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, MAKE_IMAGE);
  Object.defineProperty(globalThis, MAKE_IMAGE, { value: makeImage, configurable: true, writable: true });
  try {
    return act();
  } finally {
    if (before) Object.defineProperty(globalThis, MAKE_IMAGE, before);
    else delete (globalThis as Record<string, unknown>)[MAKE_IMAGE];
  }
}

const decoder = new WasmDecoder<{
  /** Returns a message if it fails. */
  decode: (bytes: Uint8Array) => RgbaImage | string;
  HEAPU8: Uint8Array;
}>({ wasm: `${PACKAGE}/jxl-dec.wasm`, script: './jxl-dec.js' }, withMakeImage);

/** The first image of a process takes this much longer, since the decoder is compiled piece by piece. */
const FIRST_MS = 200;
/** Measured: about 200 ms for 128 x 128 x 64 values. */
const NS_PER_VALUE = 200;

const CHANNELS_OF_DECODER = 4;

function decode<T>(
  bytes: Uint8Array,
  { chunkSize, channels }: ChunkLayout,
  read: (image: DecodedImage) => T,
): T {
  const { width, height, channels: found } = readJxlHeader(bytes);
  if (found !== channels)
    throw new DecodeError('BAD_HEADER', `jxl: ${found} channel(s), expected ${channels}`);
  if (width * height !== product(chunkSize))
    throw new DecodeError(
      'BAD_HEADER',
      `jxl: ${width}x${height} pixels, expected as many as there are voxels in ${formatVec3(chunkSize)}`,
    );
  let image: RgbaImage | string;
  try {
    image = decoder.run(width * height * channels, ({ decode: decodeImage }) => decodeImage(bytes));
  } catch (cause) {
    throw new DecodeError('BAD_BITSTREAM', 'jxl: the image data is broken', { cause });
  }
  if (typeof image === 'string' || image.data.length !== width * height * CHANNELS_OF_DECODER)
    throw new DecodeError('BAD_BITSTREAM', 'jxl: the image data is broken or cut');
  const { buffer, byteOffset, byteLength } = image.data;
  return read({
    pixels: new Uint8Array(buffer, byteOffset, byteLength),
    isLent: false,
    step: CHANNELS_OF_DECODER,
  });
}

/** The codec of `jxl`. */
export const jxlCodec = createImageCodec({
  encoding: 'jxl',
  packageName: PACKAGE,
  channels: [1, 3],
  load: () => decoder.load(),
  decodeMs: (values) => FIRST_MS + NS_PER_VALUE * 1e-6 * values,
  decode,
});
