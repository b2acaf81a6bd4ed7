/** A codec whose chunks are read from the beginning: pairs of a length and a value, 2 bytes per run, uint8. */
import type { PausableWork } from '../../lib/base/cooperative-work.ts';
import { DecodeError } from '../../lib/base/errors.ts';
import type { Codec } from '../../lib/codecs/codec.ts';
import { product } from '../../lib/base/vec3.ts';

/** Creates the codec. It pauses after each run, and counts how often chunks were decoded to raw. */
export function createRunLengthCodec(): Codec & { chunksDecoded: number } {
  const codec = {
    encoding: 'runs',
    dataTypes: ['uint8'] as const,
    chunksDecoded: 0,
    maxBytes: () => 64,
    *decodePoints(...[bytes, layout, offsets, out, outIndex]: Parameters<Codec['decodePoints']>) {
      let voxel = 0;
      for (let run = 0; voxel <= Math.max(...offsets); run += 2) {
        yield;
        if (run >= bytes.length)
          throw new DecodeError('TRUNCATED', `${product(layout.chunkSize)} voxels expected`);
        for (const [k, offset] of offsets.entries())
          if (offset >= voxel && offset < voxel + bytes[run]) out[outIndex[k]] = bytes[run + 1];
        voxel += bytes[run];
      }
    },
    *toRaw(...[bytes, layout]: Parameters<NonNullable<Codec['toRaw']>>): PausableWork<Uint8Array> {
      codec.chunksDecoded++;
      const every = Uint32Array.from({ length: product(layout.chunkSize) }, (_, k) => k),
        raw = new Uint8Array(every.length);
      yield* codec.decodePoints(bytes, layout, every, raw, every);
      return raw;
    },
  };
  return codec;
}
