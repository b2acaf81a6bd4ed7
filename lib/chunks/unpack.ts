/**
 * Inflates a stored chunk once and delivers it to all waiting calls. Frees the memory at once if nothing is
 * cached. A very large chunk whose voxels lie at known offsets (raw) is delivered in windows, and is never
 * completely in memory.
 */
import { runWithoutPause, type CooperativeRunner, type PausableWork } from '../base/cooperative-work.ts';
import { isShared, toOwnMemory } from '../base/shared-memory.ts';
import type { Stop } from '../base/stop.ts';
import { canStream, decompressWindows } from '../compression/decompress.ts';
import { releaseMemory, SLACK_BYTES } from '../compression/memory.ts';
import type { Codec } from '../codecs/codec.ts';
import type { ChunkWaiter, WindowReader } from './chunk-consumer.ts';
import type { ChunkPart, KeptChunk, Reencoder, StoredChunk } from './chunk-source.ts';
import { inflateChunk } from './inflate.ts';

/** Larger chunks are delivered in windows, if possible. */
export const WHOLE_BYTES = 16 * 1024 * 1024;
/**
 * Smaller chunks are left to the garbage collector, because freeing memory takes a message to another thread.
 */
const RELEASED_BYTES = 1024 * 1024;

/**
 * Inflates a chunk and delivers it.
 * @param keep Given if the chunk is to be cached. Returns a converter for it, or undefined to cache the
 *   inflated bytes.
 * @param bytesAtHand The decompressed chunk, if another thread has already decompressed it.
 * @returns What to cache; undefined if no call could use the bytes.
 */
export async function unpackChunk(
  chunk: StoredChunk | undefined,
  waiters: readonly ChunkWaiter[],
  keep: (() => Reencoder | undefined) | undefined,
  stop: Stop,
  runner: CooperativeRunner,
  bytesAtHand?: Uint8Array,
): Promise<KeptChunk | undefined> {
  if (chunk && isShared(chunk.bytes)) chunk = { ...chunk, bytes: toOwnMemory(chunk.bytes) };
  let reencoder = chunk && !chunk.codec ? keep?.() : undefined;
  const readers =
    (keep && !reencoder) || !chunk || bytesAtHand || !isDeliveredInWindows(chunk)
      ? []
      : waiters.map((waiter) => waiter.windowReader());
  if (chunk && readers.length > 0 && readers.every((read) => read !== undefined)) {
    const { unserved, served } = await unpackWindows(chunk, waiters, readers, reencoder, stop, runner);
    if (unserved.length === 0)
      return served && reencoder
        ? ((await runner.run(reencoder.finish())) ?? inflateAgain(chunk, stop))
        : undefined;
    waiters = unserved;
    reencoder = keep?.(); // the first one has seen bytes that are not the chunk
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = bytesAtHand ?? (chunk && (chunk.codec ? chunk.bytes : await inflateChunk(chunk, { stop })));
  } catch (error) {
    for (const waiter of waiters) waiter.fail(error);
    return undefined;
  }
  let converted: KeptChunk | undefined;
  if (bytes && reencoder?.isForCalls) {
    reencoder.add(bytes);
    converted = await runner.run(reencoder.finish());
    reencoder = undefined;
  }
  const delivered: Partial<KeptChunk> = { bytes, codec: chunk?.codec, ...converted };
  let wasAccepted = false;
  for (const waiter of waiters) {
    const delivering = runner.run(waiter.deliver(delivered.bytes, delivered.codec));
    // Short deliveries run in the same turn, so that the calls that continue share their next reads.
    if (typeof delivering === 'boolean' ? delivering : await delivering) wasAccepted = true;
  }
  const keeping =
    wasAccepted && bytes && keep
      ? (converted ?? runner.run(toKeptChunk(bytes, reencoder, chunk?.codec)))
      : undefined;
  const kept = keeping instanceof Promise ? await keeping : keeping; // a call in the next microtask finds it cached
  // Bytes from the store are not freed: other chunks may share their memory.
  if (
    bytes &&
    bytes.byteLength >= RELEASED_BYTES &&
    kept?.bytes !== bytes &&
    bytes.buffer !== chunk?.bytes.buffer
  )
    releaseMemory(bytes);
  return kept;
}

/** Returns what to cache of a complete chunk: its converted form if that is better, else its bytes. */
export function* toKeptChunk(
  bytes: Uint8Array,
  reencoder: Reencoder | undefined,
  codec?: Codec,
): PausableWork<KeptChunk> {
  reencoder?.add(bytes);
  // A view of a larger read is copied, because it would keep that read alive. A little slack is not worth a
  // copy.
  const isOwn = bytes.byteOffset === 0 && bytes.buffer.byteLength - bytes.byteLength <= SLACK_BYTES;
  return (
    (reencoder && (yield* reencoder.finish())) ?? { bytes: isOwn ? bytes : new Uint8Array(bytes), codec }
  );
}

/**
 * Inflates a chunk again, for the rare case that it passed in windows and its converted form is not better.
 * All calls have been served, so a failure is ignored.
 */
const inflateAgain = (chunk: StoredChunk, stop: Stop): Promise<KeptChunk | undefined> =>
  inflateChunk(chunk, { stop }).then(
    (bytes) => ({ bytes }),
    () => undefined,
  );

/** Whether a chunk is so large that it is never completely in memory. */
export const isDeliveredInWindows = ({ exactBytes, contentEncoding }: StoredChunk): boolean =>
  exactBytes !== undefined && exactBytes > WHOLE_BYTES && canStream(contentEncoding);

/**
 * Delivers a chunk in windows.
 * @returns `unserved`: the calls that are not served, if the bytes had the wrong size and may be compressed
 *   twice. `served`: whether any call was served.
 */
async function unpackWindows(
  chunk: StoredChunk,
  waiters: readonly ChunkWaiter[],
  readers: readonly WindowReader[],
  reencoder: Reencoder | undefined,
  stop: Stop,
  runner: CooperativeRunner,
): Promise<{ unserved: readonly ChunkWaiter[]; served: boolean }> {
  const reading = new Map(waiters.map((waiter, k) => [waiter, readers[k]]));
  try {
    const total = await decompressWindows(
      chunk.bytes,
      chunk.contentEncoding!,
      { maxBytes: chunk.maxBytes, signal: stop.signal },
      (window, at) => {
        reencoder?.add(window);
        for (const [waiter, read] of reading) {
          try {
            read(window, at);
          } catch (error) {
            reading.delete(waiter); // fails for this call only
            waiter.fail(error);
          }
        }
      },
    );
    if (total !== chunk.exactBytes) return { unserved: [...reading.keys()], served: false };
    for (const waiter of reading.keys()) {
      const delivering = runner.run(waiter.finish(true));
      if (delivering) await delivering;
    }
    return { unserved: [], served: reading.size > 0 };
  } catch (error) {
    for (const waiter of reading.keys()) waiter.fail(error);
    return { unserved: [], served: false };
  }
}

/** Delivers parts of a chunk to a call that needs only those. */
export function deliverPartsTo(parts: readonly ChunkPart[], waiter: ChunkWaiter): void {
  try {
    const read = waiter.windowReader()!;
    for (const { bytes, start } of parts) read(bytes, start);
  } catch (error) {
    return waiter.fail(error);
  }
  runWithoutPause(waiter.finish(true)); // parts are only read for few values, so no pause is needed
}
