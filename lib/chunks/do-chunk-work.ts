/** Does the work on one chunk, in whichever thread it runs. */
import { runWithoutPause } from '../base/cooperative-work.ts';
import { errorJson } from '../base/error-json.ts';
import { rawCodec } from '../codecs/raw.ts';
import { codecFor, requireCodec } from '../codecs/registry.ts';
import { DATA_TYPES, wordsView } from '../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import type { ChunkWork, ChunkWorkResult } from './chunk-work.ts';
import { makeForm, type DiskForm } from './disk-form.ts';
import { inflateSoon } from './inflate.ts';

/**
 * Does the work. Never rejects: errors are part of the result.
 * @param how `codec` decodes the bytes, if they are in another encoding than the work says; they are not
 *   compressed then. `hold` stores a chunk in the form of the disk cache if its voxels could be read,
 *   or keeps it, and copies it if it would be lost otherwise.
 */
export async function doChunkWork(
  stored: Uint8Array,
  contentEncoding: string | undefined,
  work: OwnWork,
  how?: WorkOptions,
): Promise<ChunkWorkResult> {
  return doWorkSoon(stored, contentEncoding, work, how);
}

type OwnWork = Omit<ChunkWork, 'wantsStored' | 'holds' | 'saves'>;
interface WorkOptions {
  codec?: Codec;
  hold?: (form: DiskForm, isLost: boolean, hasValues: boolean) => Pick<ChunkWorkResult, 'held' | 'saved'>;
}

/** As {@link doChunkWork}, but returns at once what can be had at once. Does not throw. */
export function doWorkSoon(
  stored: Uint8Array,
  contentEncoding: string | undefined,
  work: OwnWork,
  how: WorkOptions = {},
): ChunkWorkResult | Promise<ChunkWorkResult> {
  try {
    const inflate = (): Uint8Array | Promise<Uint8Array> =>
      how.codec
        ? stored
        : inflateSoon(
            { bytes: stored, contentEncoding, maxBytes: work.maxBytes, exactBytes: work.exactBytes },
            { isBlocking: true, isTransient: isTransient(work) },
          );
    const loading = (how.codec ?? codecFor(work.encoding))?.load?.(),
      bytes = loading ? loading.then(inflate) : inflate();
    return bytes instanceof Uint8Array
      ? readInflated(bytes, stored, contentEncoding, work, how)
      : bytes
          .then((inflated) => readInflated(inflated, stored, contentEncoding, work, how))
          .catch(toFailedResult);
  } catch (error) {
    return toFailedResult(error);
  }
}

const toFailedResult = (error: unknown): ChunkWorkResult => ({ values: [], error: errorJson(error) });

/** Whether the decompressed bytes are not wanted: their memory is then used for the next chunk. */
const isTransient = ({ wantsBytes, wantsRaw }: OwnWork): boolean => !wantsBytes && !wantsRaw;

/** Does the work on the decompressed bytes. */
function readInflated(
  bytes: Uint8Array,
  stored: Uint8Array,
  contentEncoding: string | undefined,
  work: OwnWork,
  how: WorkOptions,
): ChunkWorkResult {
  const { layout } = work,
    codec = how.codec ?? requireCodec(work.encoding, layout.dataType),
    raw = work.wantsRaw ? toRawOrNothing(codec, bytes, layout) : undefined;
  const result: ChunkWorkResult = {
    values: work.voxels.map((offsets) => readVoxels(raw ? rawCodec : codec, raw ?? bytes, layout, offsets)),
  };
  if (raw) result.raw = raw;
  if (work.wantsBytes || (work.wantsRaw && !raw)) result.bytes = bytes;
  if (how.hold) {
    const made = makeForm(bytes, { bytes: stored, contentEncoding }, work);
    const isLost = isTransient(work) && made.bytes === bytes && bytes !== stored;
    Object.assign(result, how.hold(made, isLost, result.values.some(isValues)));
  }
  return result;
}

const isValues = (values: ChunkWorkResult['values'][number]): boolean => ArrayBuffer.isView(values);

function readVoxels(
  codec: Codec,
  bytes: Uint8Array,
  layout: ChunkLayout,
  offsets: Uint32Array,
): ChunkWorkResult['values'][number] {
  const out = wordsView(new DATA_TYPES[layout.dataType](offsets.length * layout.channels));
  try {
    const decoding = codec.decodePoints(bytes, layout, offsets, out, places(offsets.length));
    if (decoding) runWithoutPause(decoding);
    return out;
  } catch (error) {
    return errorJson(error);
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
