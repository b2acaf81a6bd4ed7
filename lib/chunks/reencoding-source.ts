/** What a cache keeps of raw chunks: the same labels as compressed_segmentation, in a small part of the bytes. */
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { compressedSegmentationCodec } from '../codecs/compressed-segmentation.ts';
import { ENCODED_BLOCK_SIZE, SegmentationEncoder } from '../codecs/encode-compressed-segmentation.ts';
import type { ChunkSource } from './chunk-source.ts';

/** Reads what was encoded here, whatever block size the scale has. */
const reencoded: Codec = {
  ...compressedSegmentationCodec,
  decodePoints: (bytes, layout, ...points) =>
    compressedSegmentationCodec.decodePoints(bytes, { ...layout, blockSize: ENCODED_BLOCK_SIZE }, ...points),
};

/** The same source; its raw chunks of uint32 or uint64 are kept as compressed_segmentation. All others are as small already, or no labels. */
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
      if (!reencoded.dataTypes.includes(layout.dataType)) return undefined;
      const encoder = new SegmentationEncoder(layout);
      return {
        add: (raw) => encoder.add(raw),
        finish() {
          const bytes = encoder.finish();
          return bytes && { bytes, codec: reencoded };
        },
      };
    },
  };
}
