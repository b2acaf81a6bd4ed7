/**
 * Reads the header of a zfp stream: magic, type and size of the array, and the parameters of the compression.
 *
 * Source: zfp (github.com/LLNL/zfp), src/zfp.c, zfp_read_header, zfp_field_set_metadata and
 * zfp_stream_set_mode.
 * Copyright (c) 2014-2023, Lawrence Livermore National Security, LLC. BSD 3-Clause License, see licenses/zfp.txt.
 */
import { DecodeError } from '../../base/errors.ts';

/** The values that zfp can hold, as its header numbers them. */
export const ZFP_TYPES = ['int32', 'int64', 'float32', 'float64'] as const;
export type ZfpType = (typeof ZFP_TYPES)[number];

/** What one zfp stream holds and how. */
export interface ZfpHeader {
  type: ZfpType;
  /** One size per dimension, 1 to 4 of them, the fastest first. */
  sizes: readonly number[];
  /** The least and the most bits that a block takes. They are equal at a fixed rate. */
  minBits: number;
  maxBits: number;
  /** The most bit planes of a block. */
  maxPlanes: number;
  /** Bit planes below 2 to this power are not stored. */
  minExponent: number;
  isLossless: boolean;
  /** Where the first block starts, in bits from the start of the stream. */
  firstBit: number;
}

const CODEC_VERSION = 5;
/** The size of most headers; only parameters that do not fit in 12 bits need a longer one. */
export const SHORT_HEADER_BITS = 96;
const LONG_HEADER_BITS = 148;
const MIN_BITS = 1,
  MAX_BITS = 16658,
  MAX_PLANES = 64,
  MIN_EXPONENT = -1074;

/** Bits of each size, by the number of dimensions. They add up to 48. */
const SIZE_BITS = [48, 24, 16, 12];

/** @throws DecodeError TRUNCATED, BAD_HEADER or UNSUPPORTED (another version of zfp). */
export function readZfpHeader(bytes: Uint8Array): ZfpHeader {
  requireBits(bytes, SHORT_HEADER_BITS);
  if (bytes[0] !== 0x7a || bytes[1] !== 0x66 || bytes[2] !== 0x70)
    throw new DecodeError('BAD_HEADER', 'zfp: the stream does not start with "zfp"');
  if (bytes[3] !== CODEC_VERSION)
    throw new DecodeError('UNSUPPORTED', `zfp: codec version ${bytes[3]}, supported: ${CODEC_VERSION}`);
  const type = ZFP_TYPES[readBits(bytes, 32, 2)],
    dimensions = 1 + readBits(bytes, 34, 2),
    sizeBits = SIZE_BITS[dimensions - 1];
  const sizes = Array.from(
    { length: dimensions },
    (_, i) => 1 + readBits(bytes, 36 + i * sizeBits, sizeBits),
  );
  return { type, sizes, ...readMode(bytes) };
}

function readMode(bytes: Uint8Array): Omit<ZfpHeader, 'type' | 'sizes'> {
  const mode = readBits(bytes, 84, 12);
  const free = { minBits: MIN_BITS, maxBits: MAX_BITS, maxPlanes: MAX_PLANES, minExponent: MIN_EXPONENT };
  const short = { ...free, isLossless: false, firstBit: SHORT_HEADER_BITS };
  if (mode < 2048) return { ...short, minBits: mode + 1, maxBits: mode + 1 };
  if (mode < 2048 + 128) {
    const maxPlanes = mode + 1 - 2048;
    if (maxPlanes > MAX_PLANES)
      throw new DecodeError('BAD_HEADER', `zfp: precision ${maxPlanes} is above 64`);
    return { ...short, maxPlanes };
  }
  if (mode === 2048 + 128) return { ...short, isLossless: true };
  if (mode < 4095) return { ...short, minExponent: mode + MIN_EXPONENT - (2048 + 128 + 1) };
  requireBits(bytes, LONG_HEADER_BITS);
  const minBits = 1 + readBits(bytes, 96, 15),
    maxBits = 1 + readBits(bytes, 111, 15),
    maxPlanes = 1 + readBits(bytes, 126, 7),
    minExponent = readBits(bytes, 133, 15) - 16495;
  if (minBits > maxBits || maxPlanes > MAX_PLANES)
    throw new DecodeError(
      'BAD_HEADER',
      `zfp: impossible parameters: ${minBits} to ${maxBits} bits per block, ${maxPlanes} bit planes`,
    );
  const isLossless = minExponent < MIN_EXPONENT;
  return { minBits, maxBits, maxPlanes, minExponent, isLossless, firstBit: LONG_HEADER_BITS };
}

function requireBits(bytes: Uint8Array, bits: number): void {
  if (8 * bytes.length < bits)
    throw new DecodeError(
      'TRUNCATED',
      `zfp: a header of ${bits} bits, but the stream has ${bytes.length} bytes`,
    );
}

/** Reads an unsigned number of up to 48 bits, lowest bit first. */
function readBits(bytes: Uint8Array, position: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) {
    const at = position + i;
    if ((bytes[at >>> 3] >>> (at & 7)) & 1) value += 2 ** i;
  }
  return value;
}
