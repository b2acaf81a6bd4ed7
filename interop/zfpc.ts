/** Compares the encoding `zfpc` with zfp itself: every bit of every value of 1,500 chunks. */
import { runWithoutPause } from '../lib/base/cooperative-work.ts';
import type { ChunkLayout } from '../lib/codecs/codec.ts';
import { codecFor, requireCodec } from '../lib/codecs/registry.ts';
import type { DataType } from '../lib/precomputed/data-type.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';

const CHUNKS = 1500;

interface WrittenChunk {
  name: string;
  shape: string[];
  dataType: DataType;
  chunk: Uint8Array;
  raw: Uint8Array;
}

export const zfpc: Part = async ({ python, comparison }) => {
  await using client = new PythonClient(python, 'zfpc_client.py');
  await codecFor('zfpc')!.load?.();
  for (let number = 0; number < CHUNKS; number++) {
    const { name, shape, dataType, chunk, raw } = await client.call<WrittenChunk>('chunk', { number });
    const [x, y, z, channels] = shape.map(Number),
      layout: ChunkLayout = { chunkSize: [x, y, z], channels, dataType };
    comparison.values(name, raw, runWithoutPause(requireCodec('zfpc', dataType).toRaw!(chunk, layout)));
  }
};
