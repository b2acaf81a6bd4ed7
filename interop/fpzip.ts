/** Compares the encodings `fpzip` and `kempressed` with fpzip itself: every bit of every value of 990 chunks. */
import { runWithoutPause } from '../lib/base/cooperative-work.ts';
import type { ChunkLayout } from '../lib/codecs/codec.ts';
import { codecFor, requireCodec } from '../lib/codecs/registry.ts';
import type { DataType } from '../lib/precomputed/data-type.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';

const CHUNKS = 990;

interface WrittenChunk {
  name: string;
  encoding: string;
  dataType: DataType;
  chunkSize: [string, string, string];
  channels: string;
  stream: Uint8Array;
  raw: Uint8Array;
}

export const fpzip: Part = async ({ python, comparison }) => {
  await using client = new PythonClient(python, 'fpzip_client.py');
  for (const encoding of ['fpzip', 'kempressed']) await codecFor(encoding)!.load?.();
  for (let number = 0; number < CHUNKS; number++) {
    const { name, encoding, dataType, chunkSize, channels, stream, raw } = await client.call<WrittenChunk>(
      'chunk',
      { number },
    );
    const layout: ChunkLayout = {
      chunkSize: [Number(chunkSize[0]), Number(chunkSize[1]), Number(chunkSize[2])],
      channels: Number(channels),
      dataType,
    };
    const ours = runWithoutPause(requireCodec(encoding, dataType).toRaw!(stream, layout));
    comparison.values(name, raw, ours);
  }
};
