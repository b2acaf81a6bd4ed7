/**
 * Reads the header of an fpzip stream: magic, version, type, precision and the size of the array. It is written with
 * the same range coder as the values.
 * Source: fpzip (github.com/LLNL/fpzip), src/read.cpp, `fpzip_read_header`, and include/fpzip.h.
 */
import { DecodeError } from '../../base/errors.ts';
import type { RangeDecoder } from './range-decoder.ts';

const MAGIC = [0x66, 0x70, 0x7a, 0]; // "fpz", 0
const VERSION = 0x0110;
/** How predictions are computed: in floating-point arithmetic, in the order of the source. */
const ARITHMETIC_FAST = 1;

/** What a stream must hold. */
export interface ExpectedArray {
  /** Values along the four axes, the fastest first. */
  shape: readonly [number, number, number, number];
  dataType: 'float32' | 'float64';
}

/**
 * Reads the header and checks it against the chunk, so that nothing is sized by the header.
 *
 * @returns Bits per value: 2 to 32 for float32, an even number from 4 to 64 for float64.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_HEADER or UNSUPPORTED.
 */
export function readFpzipHeader(stream: RangeDecoder, { shape, dataType }: ExpectedArray): number {
  for (const byte of MAGIC)
    if (stream.readNumber(8) !== byte)
      throw new DecodeError('BAD_HEADER', 'fpzip: the bytes do not begin with "fpz"');
  const version = stream.readNumber(16),
    arithmetic = stream.readNumber(8);
  if (version !== VERSION || arithmetic !== ARITHMETIC_FAST)
    throw new DecodeError(
      'UNSUPPORTED',
      `fpzip: format version ${version}.${arithmetic} is not supported; supported: ${VERSION}.${ARITHMETIC_FAST}`,
    );
  const storedType = stream.readNumber(1) === 0 ? 'float32' : 'float64',
    stored = stream.readNumber(7);
  if (storedType !== dataType)
    throw new DecodeError('BAD_HEADER', `fpzip: expected values of ${dataType}, got ${storedType}`);
  const width = dataType === 'float32' ? 32 : 64,
    step = width / 32,
    precision = stored || width;
  if (precision < 2 * step || precision > width || precision % step !== 0)
    throw new DecodeError('BAD_HEADER', `fpzip: ${dataType} cannot have a precision of ${precision} bits`);
  const found = shape.map(() => stream.readNumber(32));
  if (found.some((size, axis) => size !== shape[axis]))
    throw new DecodeError(
      'BAD_HEADER',
      `fpzip: expected ${shape.join(' x ')} values, got ${found.join(' x ')}`,
    );
  return precision;
}
