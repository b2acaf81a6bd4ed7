/**
 * Reads points of the `zfpc` encoding: zfp streams, compressed floats and integers, in a container. A chunk
 * is one stream, or one per place in the dimensions that are not correlated; only streams that hold wanted
 * voxels are read. At a fixed rate only the wanted blocks of 4 x 4 x … values are decoded, otherwise the
 * blocks up to the last wanted one, of which those that are not wanted are only moved over.
 *
 * Working memory: a copy of one stream, 4 bytes per block, 5 bytes per wanted value. The format has no
 * checksum, so damage between the headers gives other values, or TRUNCATED.
 *
 * Source: see `zfpc/zfpc-container.ts` and the files in `zfp/`.
 */
import type { PausableWork } from '../base/cooperative-work.ts';
import { product } from '../base/vec3.ts';
import { bytesPerValue, wordsPerValue } from '../precomputed/data-type.ts';
import type { WordArray } from '../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from './codec.ts';
import { ZfpBlockReader, isFixedRate } from './zfp/block-reader.ts';
import { ZFP_TYPES, type ZfpType } from './zfp/zfp-header.ts';
import { RawScatter } from './zfpc/raw-scatter.ts';
import { groupByBlock } from './zfpc/wanted-blocks.ts';
import {
  openZfpStream,
  readZfpcContainer,
  zfpcBytes,
  type OpenedStream,
  type ZfpcContainer,
} from './zfpc/zfpc-container.ts';

/** Values between two pauses: about a millisecond. */
const PAUSE_VALUES = 2 ** 15;
/** A stream takes as long to open as this many values to decode. */
const VALUES_PER_STREAM = 128;

function* decodePoints(
  bytes: Uint8Array,
  layout: ChunkLayout,
  offsets: Uint32Array,
  out: WordArray,
  outIndex: Uint32Array,
): PausableWork {
  const container = readZfpcContainer(bytes, layout),
    { blocksPerStream, streamCount } = container,
    { last, previous, places } = groupByBlock(container, layout, offsets);
  const { channels } = layout,
    wide = wordsPerValue(layout.dataType) === 2,
    reader = openReader(container, layout),
    { words, blockSize } = reader;
  let values = 0,
    part: OpenedStream | undefined;
  for (let stream = 0; stream < streamCount; stream++) {
    const start = stream * blocksPerStream;
    let from = start,
      to = start + blocksPerStream - 1;
    while (from <= to && last[from] === 0) from++;
    if (from > to) continue;
    while (last[to] === 0) to--;
    part = openZfpStream(bytes, container, stream, layout, part);
    const canSeek = isFixedRate(part.header);
    values += VALUES_PER_STREAM;
    reader.open(part.bytes, part.header, canSeek ? from - start : 0, to - start);
    for (let block = canSeek ? from : start; block <= to; block++) {
      if (last[block] === 0) {
        if (!canSeek) reader.skip();
        values += blockSize >>> 2;
      } else {
        if (canSeek) reader.seek(block - start);
        reader.decode();
        values += blockSize;
        for (let entry = last[block]; entry > 0; entry = previous[entry - 1]) {
          const value = entry - 1,
            point = Math.floor(value / channels),
            at = outIndex[point] * channels + value - point * channels,
            place = places[value];
          if (wide) {
            out[2 * at] = words[2 * place];
            out[2 * at + 1] = words[2 * place + 1];
          } else out[at] = words[place];
        }
      }
      if (values >= PAUSE_VALUES) {
        values = 0;
        yield;
      }
    }
  }
}

function* toRaw(bytes: Uint8Array, layout: ChunkLayout): PausableWork<Uint8Array> {
  const container = readZfpcContainer(bytes, layout),
    raw = new Uint32Array((product(layout.chunkSize) * layout.channels * bytesPerValue(layout.dataType)) / 4),
    scatter = new RawScatter(container, layout, raw),
    reader = openReader(container, layout);
  let values = 0,
    part: OpenedStream | undefined;
  for (let stream = 0; stream < container.streamCount; stream++) {
    part = openZfpStream(bytes, container, stream, layout, part);
    values += VALUES_PER_STREAM;
    reader.open(part.bytes, part.header, 0, container.blocksPerStream - 1);
    scatter.startStream(stream);
    for (let block = 0; block < container.blocksPerStream; block++) {
      if (!reader.decode(scatter.place)) scatter.writeBlock(reader.words);
      scatter.advance();
      values += reader.blockSize;
      if (values >= PAUSE_VALUES) {
        values = 0;
        yield;
      }
    }
  }
  return new Uint8Array(raw.buffer);
}

const openReader = ({ streamSizes }: ZfpcContainer, { dataType }: ChunkLayout): ZfpBlockReader =>
  new ZfpBlockReader(dataType as ZfpType, streamSizes.length); // the container has the layout's type

/** The codec of `zfpc`. */
export const zfpcCodec: Codec = {
  encoding: 'zfpc',
  dataTypes: ZFP_TYPES,
  decodePoints,
  toRaw,
  maxBytes: zfpcBytes,
};
