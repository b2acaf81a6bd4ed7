/** Puts the blocks of zfp streams in their places in a raw chunk, block after block. */
import { wordsPerValue } from '../../precomputed/data-type.ts';
import type { ChunkLayout } from '../codec.ts';
import type { BlockPlace } from '../zfp/block-reader.ts';
import type { ZfpcContainer } from './zfpc-container.ts';

/** One of the four dimensions of a stream; those that it does not have are 1 value long. */
interface Dimension {
  size: number;
  /** How far the next value is in the raw chunk. */
  stride: number;
  /** The first value of the next block. */
  at: number;
}

/** Where the values of a block are and where they go. */
interface BlockCopy {
  from: Uint32Array;
  to: Uint32Array;
  /** Whether each four values lie next to each other in the raw chunk. */
  isInFours: boolean;
}

/**
 * Writes to a raw chunk. Call `startStream`, and for each block of the stream in order `writeBlock`, unless
 * it was decoded to its `place`, and `advance`.
 */
export class RawScatter {
  readonly #raw: Uint32Array;
  readonly #isWide: boolean;
  /** The fastest first. */
  readonly #dimensions: Dimension[];
  /** The size and stride of the axes that streams are spread over, the fastest first. */
  readonly #spread: { size: number; stride: number }[];
  /** One for each shape of blocks, which differs at the ends of dimensions. */
  readonly #copies: (BlockCopy | undefined)[] = [];
  /** Where the first value of the stream is. */
  #origin = 0;
  /** Where the first value of the next block is, and the copy of that block. */
  #first = 0;
  #copy!: BlockCopy;
  /** Set for blocks of 4 x 4, of types that have one. */
  readonly #place: (BlockPlace & { at: number }) | undefined;

  constructor({ axes }: ZfpcContainer, { chunkSize, channels, dataType }: ChunkLayout, raw: Uint32Array) {
    this.#raw = raw;
    this.#isWide = wordsPerValue(dataType) === 2;
    const sizes = [...chunkSize, channels];
    const places = sizes.map((size, axis) => ({
      size,
      stride: sizes.slice(0, axis).reduce((stride, before) => stride * before, 1),
      at: 0,
      isCorrelated: axes[axis].blockShift === 2,
    }));
    this.#spread = places.filter(({ isCorrelated }) => !isCorrelated);
    this.#dimensions = places.filter(({ isCorrelated }) => isCorrelated).reverse();
    const [faster, slower] = this.#dimensions,
      values = valuesView(raw, dataType);
    if (this.#dimensions.length === 2 && values)
      this.#place = { values, at: 0, stride: faster.stride, rowStride: slower.stride };
    while (this.#dimensions.length < 4) this.#dimensions.push({ size: 1, stride: 0, at: 0 });
  }

  /** Moves to the first block of a stream. */
  startStream(stream: number): void {
    this.#origin = 0;
    let rest = stream;
    for (const { size, stride } of this.#spread) {
      this.#origin += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    for (const dimension of this.#dimensions) dimension.at = 0;
    this.#prepareCopy();
  }

  /** Writes the values of the next block that are inside the chunk. */
  writeBlock(words: Uint32Array): void {
    const { from, to, isInFours } = this.#copy,
      first = this.#first,
      raw = this.#raw,
      count = from.length;
    if (this.#isWide)
      for (let i = 0; i < count; i++) {
        const word = 2 * from[i],
          at = 2 * (first + to[i]);
        raw[at] = words[word];
        raw[at + 1] = words[word + 1];
      }
    else if (isInFours)
      for (let i = 0; i < count; i += 4) {
        const at = first + to[i];
        raw[at] = words[from[i]];
        raw[at + 1] = words[from[i + 1]];
        raw[at + 2] = words[from[i + 2]];
        raw[at + 3] = words[from[i + 3]];
      }
    else for (let i = 0; i < count; i++) raw[first + to[i]] = words[from[i]];
  }

  /** Where the next block goes, if it is one of 4 x 4 and lies completely in the chunk. */
  get place(): BlockPlace | undefined {
    if (!this.#place || this.#copy.from.length < 16) return undefined;
    this.#place.at = this.#first;
    return this.#place;
  }

  /** Moves to the next block. */
  advance(): void {
    const [fastest] = this.#dimensions;
    fastest.at += 4;
    // Most blocks have the shape of the one before.
    if (fastest.at + 4 <= fastest.size) this.#first += 4 * fastest.stride;
    else this.#startBlock();
  }

  /** Moves to the next row of blocks if this one is done, and prepares to copy its next block. */
  #startBlock(): void {
    const [fastest, ...slower] = this.#dimensions;
    if (fastest.at >= fastest.size) {
      fastest.at = 0;
      for (const dimension of slower) {
        dimension.at += 4;
        if (dimension.at < dimension.size) break;
        dimension.at = 0;
      }
    }
    this.#prepareCopy();
  }

  #prepareCopy(): void {
    let first = this.#origin,
      key = 0;
    for (const { size, stride, at } of this.#dimensions) {
      first += at * stride;
      key = 4 * key + Math.min(4, size - at) - 1;
    }
    this.#first = first;
    this.#copy = this.#copies[key] ??= this.#planCopy();
  }

  /** Lists the values of the next block that are inside the chunk, in the order of the raw chunk. */
  #planCopy(): BlockCopy {
    const [x, y, z, w] = this.#dimensions.map(({ size, stride, at }) => ({
      count: Math.min(4, size - at),
      stride,
    }));
    const values: { place: number; at: number }[] = [];
    for (let l = 0; l < w.count; l++)
      for (let k = 0; k < z.count; k++)
        for (let j = 0; j < y.count; j++)
          for (let i = 0; i < x.count; i++)
            values.push({
              place: i + 4 * (j + 4 * (k + 4 * l)),
              at: i * x.stride + j * y.stride + k * z.stride + l * w.stride,
            });
    values.sort((a, b) => a.at - b.at);
    return {
      from: Uint32Array.from(values, ({ place }) => place),
      to: Uint32Array.from(values, ({ at }) => at),
      isInFours:
        values.length % 4 === 0 && values.every(({ at }, i) => at === values[i - (i % 4)].at + (i % 4)),
    };
  }
}

/** Returns the values of a raw chunk; undefined for int64, which has no array of numbers. */
function valuesView(
  { buffer }: Uint32Array,
  dataType: ChunkLayout['dataType'],
): BlockPlace['values'] | undefined {
  if (dataType === 'float32') return new Float32Array(buffer);
  if (dataType === 'float64') return new Float64Array(buffer);
  return dataType === 'int32' ? new Int32Array(buffer) : undefined;
}
