/**
 * Reads points of the `kempressed` encoding: fpzip of the values plus 2, in the order x, y, channel, z.
 * Source: CloudVolume, cloudvolume/chunks.py, `encode_kempressed`.
 */
import { createFpzipCodec } from './fpzip/fpzip-codec.ts';

/** The codec of `kempressed`. */
export const kempressedCodec = createFpzipCodec({ encoding: 'kempressed', axes: 'channel, z', added: 2 });
