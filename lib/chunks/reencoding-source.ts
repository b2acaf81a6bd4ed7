/**
 * A source that converts raw chunks to compressed_segmentation for the memory cache, which makes them much
 * smaller.
 */
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { compressedSegmentationCodec } from '../codecs/compressed-segmentation.ts';
import { ENCODED_BLOCK_SIZE, SegmentationEncoder } from '../codecs/encode-compressed-segmentation.ts';
import type { ChunkSource } from './chunk-source.ts';

/** Decodes the converted chunks, which have their own block size. */
const reencodedCodec: Codec = {
  ...compressedSegmentationCodec,
  decodePoints: (bytes, layout, ...points) =>
    compressedSegmentationCodec.decodePoints(bytes, { ...layout, blockSize: ENCODED_BLOCK_SIZE }, ...points),
};

/**
 * Makes the memory cache keep raw chunks of uint32 or uint64 as compressed_segmentation. Other encodings are
 * small already, and other data types are not labels.
 */
export function reencodingSource(
  source: ChunkSource,
  codec: Codec,
  layoutOf: (cell: number) => ChunkLayout,
): ChunkSource {
  if (codec.encoding !== 'raw') return source;
  return {
    id: source.id,
    urlOf: (cell) => source.urlOf(cell),
    plan: (cells) => source.plan(cells),
    save: source.save && ((...chunk) => source.save!(...chunk)),
    reencoderOf(cell) {
      const layout = layoutOf(cell);
      if (!reencodedCodec.dataTypes.includes(layout.dataType)) return undefined;
      const encoder = new SegmentationEncoder(layout);
      return {
        add: (raw) => encoder.add(raw),
        finish() {
          const bytes = encoder.finish();
          return bytes && { bytes, codec: reencodedCodec };
        },
      };
    },
  };
}
