/** Does the work on one chunk, in whichever thread it runs. */
import { runWithoutPause } from '../base/cooperative-work.ts';
import { errorJson } from '../base/error-json.ts';
import { rawCodec } from '../codecs/raw.ts';
import { codecFor, requireCodec } from '../codecs/registry.ts';
import { DATA_TYPES, wordsView } from '../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import type { ChunkWork, ChunkWorkResult } from './chunk-work.ts';
import { makeForm, type DiskForm } from './disk-form.ts';
import { inflateChunk } from './inflate.ts';

/**
 * Does the work. Never rejects: errors are part of the result.
 * @param how `codec` decodes the bytes, if they are in another encoding than the work says; they are not
 *   compressed then. `hold` keeps a chunk in the form of the disk cache, and copies it if it would
 *   be lost otherwise.
 */
export async function doChunkWork(
  stored: Uint8Array,
  contentEncoding: string | undefined,
  {
    encoding,
    layout,
    maxBytes,
    exactBytes,
    voxels,
    wantsBytes,
    wantsRaw,
  }: Omit<ChunkWork, 'wantsStored' | 'holds'>,
  how: { codec?: Codec; hold?: (form: DiskForm, isLost: boolean) => ChunkWorkResult['held'] } = {},
): Promise<ChunkWorkResult> {
  try {
    await (how.codec ?? codecFor(encoding))?.load?.();
    const codec = how.codec ?? requireCodec(encoding, layout.dataType);
    const isTransient = !wantsBytes && !wantsRaw;
    const bytes = how.codec
      ? stored
      : await inflateChunk(
          { bytes: stored, contentEncoding, maxBytes, exactBytes },
          { isBlocking: true, isTransient },
        );
    const raw = wantsRaw ? toRawOrNothing(codec, bytes, layout) : undefined;
    const values = voxels.map((offsets) => {
      const out = wordsView(new DATA_TYPES[layout.dataType](offsets.length * layout.channels));
      try {
        const decoding = (raw ? rawCodec : codec).decodePoints(
          raw ?? bytes,
          layout,
          offsets,
          out,
          places(offsets.length),
        );
        if (decoding) runWithoutPause(decoding);
        return out;
      } catch (error) {
        return errorJson(error);
      }
    });
    const result: ChunkWorkResult = { values };
    if (raw) result.raw = raw;
    if (wantsBytes || (wantsRaw && !raw)) result.bytes = bytes;
    if (how.hold) {
      const made = makeForm(
        bytes,
        { bytes: stored, contentEncoding },
        { encoding, layout, maxBytes, exactBytes },
      );
      // The memory of transient bytes is used for the next chunk.
      const isLost = isTransient && made.bytes === bytes && bytes !== stored;
      result.held = how.hold(made, isLost);
    }
    return result;
  } catch (error) {
    return { values: [], error: errorJson(error) };
  }
}

function toRawOrNothing(codec: Codec, bytes: Uint8Array, layout: ChunkLayout): Uint8Array | undefined {
  try {
    return codec.toRaw && runWithoutPause(codec.toRaw(bytes, layout));
  } catch {
    return undefined; // reading voxels gives the error
  }
}

let numbers = new Uint32Array(0);

/** Returns the numbers from 0 to `count`. */
function places(count: number): Uint32Array {
  if (numbers.length < count) numbers = new Uint32Array(2 * count).map((_, k) => k);
  return numbers.subarray(0, count);
}
