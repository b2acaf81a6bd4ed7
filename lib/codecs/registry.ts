/** The list of supported encodings: one line per codec. What few volumes need is imported when it is needed. */
import { InfoError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { DataType } from '../precomputed/data-type.ts';
import type { Codec } from './codec.ts';
import { compressedSegmentationCodec } from './compressed-segmentation.ts';
import { compressoCodec } from './compresso.ts';
import { crackleCodec } from './crackle.ts';
import { LazyCodec } from './lazy-codec.ts';
import { rawCodec } from './raw.ts';

const CODECS: readonly Codec[] = [
  rawCodec,
  compressedSegmentationCodec,
  compressoCodec,
  crackleCodec,
  new LazyCodec('fpzip', async () => (await import('./fpzip.ts')).fpzipCodec),
  new LazyCodec('kempressed', async () => (await import('./kempressed.ts')).kempressedCodec),
  new LazyCodec('zfpc', async () => (await import('./zfpc.ts')).zfpcCodec),
  new LazyCodec('png', async () => (await import('./png.ts')).pngCodec),
  new LazyCodec('jpeg', async () => (await import('./jpeg.ts')).jpegCodec),
  new LazyCodec('jxl', async () => (await import('./jxl.ts')).jxlCodec),
];

/** The names of the supported encodings, for messages. */
export const READABLE_ENCODINGS: readonly string[] = CODECS.map(({ encoding }) => encoding);

/**
 * Returns the codec of an encoding; undefined if this version does not support it. Upper and lower case are
 * equal, as in the format.
 */
export const codecFor = (encoding: string): Codec | undefined =>
  CODECS.find((codec) => codec.encoding === encoding.toLowerCase());

/**
 * Returns the codec of a scale.
 *
 * @param url Where the info was read from, for errors.
 * @throws InfoError UNSUPPORTED (an unsupported encoding) or BAD_INFO (a data type or a number of channels that the
 *   encoding cannot hold).
 */
export function requireCodec(
  encoding: string,
  dataType: DataType,
  { url, channels = 1 }: { url?: string; channels?: number } = {},
): Codec {
  const codec = codecFor(encoding);
  if (!codec)
    throw new InfoError(
      'UNSUPPORTED',
      `encoding ${JSON.stringify(toPrintable(encoding, 60))}${url ? ` of ${url}` : ''} is not supported; supported: ${READABLE_ENCODINGS.join(', ')}`,
      url,
    );
  if (!codec.dataTypes.includes(dataType))
    throw new InfoError(
      'BAD_INFO',
      `encoding ${codec.encoding} cannot hold ${dataType}; it holds ${codec.dataTypes.join(', ')}`,
      url,
    );
  if (codec.channels?.includes(channels) === false)
    throw new InfoError(
      'BAD_INFO',
      `encoding ${codec.encoding} cannot hold ${channels} channels; it holds ${codec.channels.join(', ')}`,
      url,
    );
  return codec;
}
