/** The parts that the encodings `fpzip` and `kempressed` share: an fpzip stream per chunk, x and y fastest. */
import { inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { product } from '../../base/vec3.ts';
import { bytesPerValue, wordsPerValue } from '../../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from '../codec.ts';
import { groupBySlice } from '../group-by-slice.ts';
import type { ExpectedArray } from './fpzip-header.ts';
import { FpzipPlanes } from './planes.ts';

/** How an encoding uses fpzip. */
export interface FpzipEncoding {
  encoding: string;
  /** The axes after x and y, the faster first. */
  axes: 'z, channel' | 'channel, z';
  /** What is added to each value before it is encoded. */
  added: number;
}

/** Creates the codec of an encoding that uses fpzip. */
export function createFpzipCodec({ encoding, axes, added }: FpzipEncoding): Codec {
  const open = (
    bytes: Uint8Array,
    { chunkSize: [sx, sy, sz], channels, dataType }: ChunkLayout,
  ): FpzipPlanes =>
    new FpzipPlanes(bytes, {
      shape: axes === 'z, channel' ? [sx, sy, sz, channels] : [sx, sy, channels, sz],
      dataType: dataType as ExpectedArray['dataType'],
    });

  /** Lists the planes in the order of the stream, up to the last one with a slice below `slices`. */
  function* planesOf(
    { chunkSize, channels }: ChunkLayout,
    slices: number,
  ): Generator<{ z: number; channel: number }> {
    if (axes === 'channel, z')
      for (let z = 0; z < slices; z++)
        for (let channel = 0; channel < channels; channel++) yield { z, channel };
    else
      for (let channel = 0; channel < channels; channel++)
        for (let z = 0; z < (channel < channels - 1 ? chunkSize[2] : slices); z++) yield { z, channel };
  }

  return {
    encoding,
    dataTypes: ['float32', 'float64'],

    *decodePoints(bytes, layout, offsets, out, outIndex) {
      const { chunkSize, channels, dataType } = layout,
        [width, height, depth] = chunkSize,
        words = wordsPerValue(dataType);
      const planes = open(bytes, layout);
      if (offsets.length === 0) return;
      const { order, sliceStart } = groupBySlice(offsets, width * height, depth),
        last = offsets.reduce((most, offset) => Math.max(most, offset), 0),
        lastSlice = Math.floor(last / (width * height));
      for (const { z, channel } of planesOf(layout, lastSlice + 1)) {
        const isLast = z === lastSlice && channel === channels - 1;
        yield* planes.decodeNext(isLast ? (last % (width * height)) + 1 : width * height);
        const first = sliceStart[z];
        yield* inStretches(sliceStart[z + 1] - first, (from, end) => {
          for (let k = first + from; k < first + end; k++) {
            const offset = offsets[order[k]] - z * width * height,
              y = Math.floor(offset / width);
            const at = planes.front.startInPlane(y) + offset - y * width;
            writeValue(planes, at, added, out, (outIndex[order[k]] * channels + channel) * words);
          }
        });
      }
    },

    *toRaw(bytes, layout): PausableWork<Uint8Array> {
      const { chunkSize, channels, dataType } = layout,
        [width, height, depth] = chunkSize,
        words = wordsPerValue(dataType);
      const planes = open(bytes, layout),
        raw = new Int32Array(product(chunkSize) * channels * words);
      for (const { z, channel } of planesOf(layout, depth)) {
        yield* planes.decodeNext(width * height);
        let to = width * height * (z + depth * channel) * words;
        for (const { from, end } of planes.front.spansOfPlane()) {
          if (added === 0) raw.set(planes.front.words.subarray(from * words, end * words), to);
          else
            for (let at = from; at < end; at++) writeValue(planes, at, added, raw, to + (at - from) * words);
          to += (end - from) * words;
        }
      }
      return new Uint8Array(raw.buffer);
    },

    /** A value takes at most 16 bits for its symbol, and its own bits; nothing is gained by an exact limit. */
    maxBytes: ({ chunkSize, channels, dataType }) =>
      64 + product(chunkSize) * channels * (2 * bytesPerValue(dataType) + 4),
  };
}

const sum32 = new Float32Array(1),
  sum64 = new Float64Array(1),
  word32 = new Int32Array(sum32.buffer),
  words64 = new Int32Array(sum64.buffer);

/** Writes value `at` of the front without what was added to it. */
function writeValue(
  { front: { values, words } }: FpzipPlanes,
  at: number,
  added: number,
  out: { [index: number]: number },
  to: number,
): void {
  const is64 = words.length > values.length,
    value = values[at];
  if (added === 0 || Number.isNaN(value)) {
    // A sum with NaN is that NaN, made quiet.
    const quiet = added === 0 ? 0 : is64 ? 0x80000 : 0x400000;
    if (is64) {
      out[to] = words[2 * at];
      out[to + 1] = words[2 * at + 1] | quiet;
    } else out[to] = words[at] | quiet;
  } else if (is64) {
    sum64[0] = value - added;
    out[to] = words64[0];
    out[to + 1] = words64[1];
  } else {
    sum32[0] = value - added;
    out[to] = word32[0];
  }
}
