/**
 * The registry of encodings that {@link buildPrecomputed} writes. A new encoding is one entry of `ENCODERS`.
 */
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { DataType, ValueArray } from '../../lib/precomputed/data-type.ts';
import { encodeBlocks } from './encode-blocks.ts';
import { encodeCompresso } from './encode-compresso.ts';
import { encodeCrackle } from './encode-crackle.ts';
import { bytesOfValues } from './values.ts';

/** The shape of a chunk. */
export interface ChunkShape {
  /** Voxels, xyz. */
  size: Vec3;
  channels: number;
  /** Block size of compressed_segmentation in voxels, xyz. */
  blockSize: Vec3;
}

interface Encoder {
  dataTypes?: readonly DataType[];
  oneChannel?: true;
  encode: (values: ValueArray, shape: ChunkShape) => Uint8Array;
}

type Unsigned = BigUint64Array | Uint32Array | Uint16Array | Uint8Array;

const UNSIGNED = ['uint8', 'uint16', 'uint32', 'uint64'] as const;

/** The encoder of each encoding, and which volumes it can hold. */
export const ENCODERS = {
  raw: { encode: bytesOfValues },
  compressed_segmentation: {
    dataTypes: ['uint32', 'uint64'],
    encode: (values, { size, channels, blockSize }) =>
      encodeBlocks(values as BigUint64Array | Uint32Array, size, channels, blockSize),
  },
  crackle: {
    dataTypes: UNSIGNED,
    oneChannel: true,
    encode: (values, { size }) => encodeCrackle(values as Unsigned, size),
  },
  compresso: {
    dataTypes: UNSIGNED,
    oneChannel: true,
    encode: (values, { size }) => encodeCompresso(values as Unsigned, size),
  },
} satisfies Record<string, Encoder>;

/** An encoding of chunks. */
export type Encoding = keyof typeof ENCODERS;

/**
 * The encoder of an encoding.
 * @throws RangeError or TypeError when the encoding cannot hold the data type or the channels.
 */
export function encoderFor(encoding: Encoding, dataType: DataType, channels: number): Encoder['encode'] {
  if (!Object.hasOwn(ENCODERS, encoding))
    throw new TypeError(`encoding ${String(encoding)} is not one of ${Object.keys(ENCODERS).join(', ')}`);
  const { dataTypes, oneChannel, encode }: Encoder = ENCODERS[encoding];
  if (dataTypes && !dataTypes.includes(dataType))
    throw new RangeError(`${encoding} cannot hold ${dataType}; it holds ${dataTypes.join(', ')}`);
  if (oneChannel && channels > 1) throw new RangeError(`${encoding} holds one channel, not ${channels}`);
  return encode;
}
