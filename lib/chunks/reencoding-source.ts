/**
 * A source that converts chunks for the memory cache: to a smaller encoding, or to one that is quick to read.
 */
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { compressedSegmentationCodec } from '../codecs/compressed-segmentation.ts';
import { ENCODED_BLOCK_SIZE, SegmentationEncoder } from '../codecs/encode-compressed-segmentation.ts';
import { rawCodec } from '../codecs/raw.ts';
import type { LruEncoding } from './cache-options.ts';
import type { ChunkSource, Reencoder } from './chunk-source.ts';

/** Decodes the converted chunks, which have their own block size. */
const reencodedCodec: Codec = {
  ...compressedSegmentationCodec,
  decodePoints: (bytes, layout, ...points) =>
    compressedSegmentationCodec.decodePoints(bytes, { ...layout, blockSize: ENCODED_BLOCK_SIZE }, ...points),
};

/**
 * Returns how a chunk of a codec is converted; undefined if the memory cache keeps such chunks as they are.
 */
function chooseReencoder(
  codec: Codec,
  lruEncoding: LruEncoding,
): ((layout: ChunkLayout) => Reencoder | undefined) | undefined {
  if (lruEncoding === 'decoded') return codec.toRaw && ((layout) => decode(codec, layout));
  if (lruEncoding === 'compressed_segmentation' && codec.encoding === 'raw') return encodeLabels;
  return undefined;
}

/** Converts raw chunks of uint32 or uint64. Other data types are not labels. */
function encodeLabels(layout: ChunkLayout): Reencoder | undefined {
  if (!reencodedCodec.dataTypes.includes(layout.dataType)) return undefined;
  const encoder = new SegmentationEncoder(layout);
  return {
    add: (raw) => encoder.add(raw),
    *finish() {
      const bytes = encoder.finish();
      return bytes && { bytes, codec: reencodedCodec };
    },
  };
}

/** Decodes chunks. One that cannot be decoded is kept as it is: reading it gives the error. */
function decode(codec: Codec, layout: ChunkLayout): Reencoder {
  let encoded: Uint8Array = new Uint8Array(0);
  return {
    isForCalls: true,
    add: (bytes) => void (encoded = bytes),
    *finish() {
      try {
        return { bytes: yield* codec.toRaw!(encoded, layout), codec: rawCodec };
      } catch {
        return undefined;
      }
    },
  };
}

/** Makes the memory cache keep converted chunks, where `lruEncoding` says so. */
export function reencodingSource(
  source: ChunkSource,
  lruEncoding: LruEncoding,
  codec: Codec,
  layoutOf: (cell: number) => ChunkLayout,
): ChunkSource {
  const createReencoder = chooseReencoder(codec, lruEncoding);
  if (!createReencoder) return source;
  return {
    id: source.id,
    urlOf: (cell) => source.urlOf(cell),
    get isReadHere() {
      return source.isReadHere;
    },
    contentOf: source.contentOf && ((cell) => source.contentOf!(cell)),
    plan: (cells) => source.plan(cells),
    save: source.save && ((...chunk) => source.save!(...chunk)),
    saveOrderOf: source.saveOrderOf && ((...chunk) => source.saveOrderOf!(...chunk)),
    noteSaved: source.noteSaved && ((...chunk) => source.noteSaved!(...chunk)),
    savedFormOf: source.savedFormOf && ((...chunk) => source.savedFormOf!(...chunk)),
    reencoderOf: (cell) => createReencoder(layoutOf(cell)),
  };
}
