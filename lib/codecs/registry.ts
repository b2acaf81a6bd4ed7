/** The encodings this version reads: one line each. */
import { InfoError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { DataType } from '../precomputed/data-type.ts';
import type { Codec } from './codec.ts';
import { compressedSegmentationCodec } from './compressed-segmentation.ts';
import { compressoCodec } from './compresso.ts';
import { crackleCodec } from './crackle.ts';
import { rawCodec } from './raw.ts';

const CODECS: readonly Codec[] = [rawCodec, compressedSegmentationCodec, compressoCodec, crackleCodec];

/** As `info` spells them; for messages. */
export const READABLE_ENCODINGS: readonly string[] = CODECS.map(({ encoding }) => encoding);

/** The codec of `encoding`, or undefined when this version does not read it. Case does not matter: the format says so. */
export const codecFor = (encoding: string): Codec | undefined =>
  CODECS.find((codec) => codec.encoding === encoding.toLowerCase());

/**
 * The codec of a scale.
 *
 * @param url Where the info was read from, for the error.
 * @throws InfoError UNSUPPORTED (an encoding that is not read here) or BAD_INFO (a data type the encoding cannot hold).
 */
export function requireCodec(encoding: string, dataType: DataType, url?: string): Codec {
  const codec = codecFor(encoding);
  if (!codec)
    throw new InfoError(
      'UNSUPPORTED',
      `encoding ${JSON.stringify(toPrintable(encoding, 60))}${url ? ` of ${url}` : ''} is not read; readable: ${READABLE_ENCODINGS.join(', ')}`,
      url,
    );
  if (!codec.dataTypes.includes(dataType))
    throw new InfoError(
      'BAD_INFO',
      `encoding ${codec.encoding} cannot hold ${dataType}; it holds ${codec.dataTypes.join(', ')}`,
      url,
    );
  return codec;
}
