/**
 * Reads every stored chunk of an unsharded fixture, decompressed. The folder is listed, so that decoders can
 * be tested without the code for storage, compression and chunks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import type { Fixture } from '../../testing/fixtures.ts';

const INFLATE: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  '': (b) => b,
  '.gz': gunzipSync,
  '.br': brotliDecompressSync,
  '.zstd': (b) => unzstd(b),
};

export interface FixtureChunk {
  /** `40-104_24-88_16-48` */
  name: string;
  /** The first voxel of the chunk in the volume. */
  min: [number, number, number];
  layout: ChunkLayout;
  bytes: Uint8Array;
}

export function fixtureChunks({ folder, info }: Fixture, mip: number): FixtureChunk[] {
  const { key, compressed_segmentation_block_size: blockSize } = info.scales[mip];
  return readdirSync(join(folder, key)).map((file) => {
    const [, name, suffix] = /^([\d_-]+)(\.\w+)?$/.exec(file)!;
    const edges = name.split(/[_-]/).map(Number);
    return {
      name,
      min: [edges[0], edges[2], edges[4]],
      layout: {
        chunkSize: [edges[1] - edges[0], edges[3] - edges[2], edges[5] - edges[4]],
        channels: info.num_channels,
        dataType: info.data_type,
        blockSize,
      },
      bytes: INFLATE[suffix ?? ''](readFileSync(join(folder, key, file))),
    };
  });
}
