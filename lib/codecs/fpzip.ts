/**
 * Reads points of the `fpzip` encoding: floats, each coded as its difference from a prediction, so that a value can
 * only be decoded after those before it. The values up to the last wanted one are decoded, in the order x, y, z,
 * channel, and little more than one plane of them is kept.
 *
 * Any precision and both float types are read: float32 as precise as 2 to 32 bits, float64 as 4 to 64.
 *
 * Source: fpzip (github.com/LLNL/fpzip); CloudVolume, cloudvolume/chunks.py, `fpzip`.
 */
import { createFpzipCodec } from './fpzip/fpzip-codec.ts';

/** The codec of `fpzip`. */
export const fpzipCodec = createFpzipCodec({ encoding: 'fpzip', axes: 'z, channel', added: 0 });
