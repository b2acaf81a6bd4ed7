/** Does the work on one chunk, in whichever thread it runs. */
import { runWithoutPause } from '../base/cooperative-work.ts';
import { errorJson } from '../base/error-json.ts';
import { requireCodec } from '../codecs/registry.ts';
import { DATA_TYPES, wordsView } from '../precomputed/data-type.ts';
import type { ChunkWork, ChunkWorkResult } from './chunk-work.ts';
import { inflateChunk } from './inflate.ts';

/** Does the work. Never rejects: errors are part of the result. */
export async function doChunkWork(
  stored: Uint8Array,
  contentEncoding: string | undefined,
  { encoding, layout, maxBytes, exactBytes, voxels, wantsBytes }: Omit<ChunkWork, 'wantsStored'>,
): Promise<ChunkWorkResult> {
  try {
    const codec = requireCodec(encoding, layout.dataType);
    await codec.load?.();
    const bytes = await inflateChunk(
      { bytes: stored, contentEncoding, maxBytes, exactBytes },
      { isBlocking: true, isTransient: !wantsBytes },
    );
    const values = voxels.map((offsets) => {
      const out = wordsView(new DATA_TYPES[layout.dataType](offsets.length * layout.channels));
      try {
        const decoding = codec.decodePoints(bytes, layout, offsets, out, places(offsets.length));
        if (decoding) runWithoutPause(decoding);
        return out;
      } catch (error) {
        return errorJson(error);
      }
    });
    return wantsBytes ? { values, bytes } : { values };
  } catch (error) {
    return { values: [], error: errorJson(error) };
  }
}

let numbers = new Uint32Array(0);

/** Returns the numbers from 0 to `count`. */
function places(count: number): Uint32Array {
  if (numbers.length < count) numbers = new Uint32Array(2 * count).map((_, k) => k);
  return numbers.subarray(0, count);
}
