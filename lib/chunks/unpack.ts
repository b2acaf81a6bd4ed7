/**
 * Stored bytes to those who wait for them: inflated once, shown to all, and given back at once where nothing is to be kept. A very large
 * chunk whose voxels lie at known places goes by in windows, each taking its voxels out as they pass, and is never held whole.
 */
import { atOnce, type Paced, type Pacer } from '../base/pacer.ts';
import { canStream, decompressWindows } from '../compression/decompress.ts';
import { release, SLACK_BYTES } from '../compression/memory.ts';
import type { Codec } from '../codecs/codec.ts';
import type { ChunkPart, Keeper, KeptChunk, StoredChunk } from './chunk-source.ts';
import { inflate } from './inflate.ts';

/** Sees a chunk go by: pieces in order, `at` the offset of each. */
export type Watcher = (window: Uint8Array, at: number) => void;

export interface Taker {
  /**
   * Takes what it needs out of all bytes of the chunk; it must not keep them any longer. Undefined: the chunk is not stored.
   *
   * @param codec What reads the bytes, where they are not in the source's own encoding.
   */
  take(bytes: Uint8Array | undefined, codec?: Codec): Paced;
  /** The same by windows, where the encoding allows it. */
  watch?(): Watcher | undefined;
  done(): Paced;
  fail(error: unknown): void;
}

/** Above this a chunk goes by in windows where it can. */
const WHOLE_BYTES = 16 * 1024 * 1024;
/** Below this the collector is as good: giving memory back is a message of its own. */
const RELEASED_BYTES = 1024 * 1024;

/**
 * @param keep Given when something is to be kept: says what makes it, undefined for the inflated bytes as they are.
 * @returns What to keep, when somebody could use the bytes.
 */
export async function unpack(
  chunk: StoredChunk | undefined,
  takers: readonly Taker[],
  keep: (() => Keeper | undefined) | undefined,
  signal: AbortSignal,
  pacer: Pacer,
): Promise<KeptChunk | undefined> {
  let keeper = chunk && keep?.();
  const watchers =
    (keep && !keeper) || !chunk || !goesByWindows(chunk) ? [] : takers.map((taker) => taker.watch?.());
  if (chunk && watchers.length > 0 && watchers.every((watcher) => watcher !== undefined)) {
    const { left, served } = await unpackWindows(chunk, takers, watchers, keeper, signal, pacer);
    if (left.length === 0)
      return served && keeper ? (keeper.finish() ?? inflateAgain(chunk, signal)) : undefined;
    takers = left;
    keeper = keep?.(); // the other one has seen what is not the chunk
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = chunk && (await inflate(chunk, signal));
  } catch (error) {
    for (const taker of takers) taker.fail(error);
    return undefined;
  }
  let taken = false;
  for (const taker of takers) {
    const going = pacer.run(hand(taker, { bytes }));
    // All of them in one go where they are short: whoever goes on together asks together.
    if (typeof going === 'boolean' ? going : await going) taken = true;
  }
  const kept = taken && bytes && keep ? remake(bytes, keeper) : undefined;
  // Not what came from the store: other chunks may be in the same memory.
  if (
    bytes &&
    bytes.byteLength >= RELEASED_BYTES &&
    kept?.bytes !== bytes &&
    bytes.buffer !== chunk?.bytes.buffer
  )
    release(bytes);
  return kept;
}

/** What to keep of a chunk that is whole: what the keeper makes of it, or its bytes as they are. */
export function remake(bytes: Uint8Array, keeper: Keeper | undefined): KeptChunk {
  keeper?.add(bytes);
  // Memory of its own: a view of a larger read would keep all of that. The slack of inflating is not worth a copy.
  const isOwn = bytes.byteOffset === 0 && bytes.buffer.byteLength - bytes.byteLength <= SLACK_BYTES;
  return keeper?.finish() ?? { bytes: isOwn ? bytes : new Uint8Array(bytes) };
}

/** The rare chunk that went by in windows and is to be kept as it is after all. Everybody has been served, so nothing fails. */
const inflateAgain = (chunk: StoredChunk, signal: AbortSignal): Promise<KeptChunk | undefined> =>
  inflate(chunk, signal).then(
    (bytes) => ({ bytes }),
    () => undefined,
  );

const goesByWindows = ({ exactBytes, contentEncoding }: StoredChunk): boolean =>
  exactBytes !== undefined && exactBytes > WHOLE_BYTES && canStream(contentEncoding);

/**
 * @returns `left`: those not served yet, when what went by is not the chunk: it has another size, and may hold another bitstream.
 * `served`: whether somebody was.
 */
async function unpackWindows(
  chunk: StoredChunk,
  takers: readonly Taker[],
  watchers: readonly Watcher[],
  keeper: Keeper | undefined,
  signal: AbortSignal,
  pacer: Pacer,
): Promise<{ left: readonly Taker[]; served: boolean }> {
  const watching = new Map(takers.map((taker, k) => [taker, watchers[k]]));
  try {
    const total = await decompressWindows(
      chunk.bytes,
      chunk.contentEncoding!,
      { maxBytes: chunk.maxBytes, signal },
      (window, at) => {
        keeper?.add(window);
        for (const [taker, watch] of watching) {
          try {
            watch(window, at);
          } catch (error) {
            watching.delete(taker); // its own fault alone
            taker.fail(error);
          }
        }
      },
    );
    if (total !== chunk.exactBytes) return { left: [...watching.keys()], served: false };
    for (const taker of watching.keys()) {
      const going = pacer.run(taker.done());
      if (going) await going;
    }
    return { left: [], served: watching.size > 0 };
  } catch (error) {
    for (const taker of watching.keys()) taker.fail(error);
    return { left: [], served: false };
  }
}

/** Parts of a chunk, to one who needs no more than those. */
export function handOver(parts: readonly ChunkPart[], taker: Taker): void {
  try {
    const watch = taker.watch!()!;
    for (const { bytes, start } of parts) watch(bytes, start);
  } catch (error) {
    return taker.fail(error);
  }
  atOnce(taker.done()); // so few values are asked for in parts
}

/** All of a chunk to one who waits for it. @returns whether it went well. */
export function* hand(
  taker: Taker,
  { bytes, codec }: { bytes: Uint8Array | undefined; codec?: Codec },
): Paced<boolean> {
  try {
    yield* taker.take(bytes, codec);
  } catch (error) {
    taker.fail(error);
    return false;
  }
  yield* taker.done();
  return true;
}
