/**
 * Stored bytes to those who wait for them: inflated once, shown to all, and given back at once where nothing is to be kept. A very large
 * chunk whose voxels lie at known places goes by in windows, each taking its voxels out as they pass, and is never held whole.
 */
import { runWithoutPause, type CooperativeRunner } from '../base/cooperative-work.ts';
import { canStream, decompressWindows } from '../compression/decompress.ts';
import { releaseMemory, SLACK_BYTES } from '../compression/memory.ts';
import type { ChunkWaiter, WindowReader } from './chunk-consumer.ts';
import type { ChunkPart, KeptChunk, Reencoder, StoredChunk } from './chunk-source.ts';
import { inflateChunk } from './inflate.ts';

/** Above this a chunk goes by in windows where it can. */
const WHOLE_BYTES = 16 * 1024 * 1024;
/** Below this the collector is as good: giving memory back is a message of its own. */
const RELEASED_BYTES = 1024 * 1024;

/**
 * @param keep Given when something is to be kept: says what makes it, undefined for the inflated bytes as they are.
 * @returns What to keep, when somebody could use the bytes.
 */
export async function unpackChunk(
  chunk: StoredChunk | undefined,
  waiters: readonly ChunkWaiter[],
  keep: (() => Reencoder | undefined) | undefined,
  signal: AbortSignal,
  pacer: CooperativeRunner,
): Promise<KeptChunk | undefined> {
  let reencoder = chunk && keep?.();
  const readers =
    (keep && !reencoder) || !chunk || !goesByWindows(chunk)
      ? []
      : waiters.map((waiter) => waiter.windowReader());
  if (chunk && readers.length > 0 && readers.every((read) => read !== undefined)) {
    const { left, served } = await unpackWindows(chunk, waiters, readers, reencoder, signal, pacer);
    if (left.length === 0)
      return served && reencoder ? (reencoder.finish() ?? inflateAgain(chunk, signal)) : undefined;
    waiters = left;
    reencoder = keep?.(); // the other one has seen what is not the chunk
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = chunk && (await inflateChunk(chunk, signal));
  } catch (error) {
    for (const waiter of waiters) waiter.fail(error);
    return undefined;
  }
  let taken = false;
  for (const waiter of waiters) {
    const going = pacer.run(waiter.deliver(bytes));
    // All of them in one go where they are short: whoever goes on together asks together.
    if (typeof going === 'boolean' ? going : await going) taken = true;
  }
  const kept = taken && bytes && keep ? toKeptChunk(bytes, reencoder) : undefined;
  // Not what came from the store: other chunks may be in the same memory.
  if (
    bytes &&
    bytes.byteLength >= RELEASED_BYTES &&
    kept?.bytes !== bytes &&
    bytes.buffer !== chunk?.bytes.buffer
  )
    releaseMemory(bytes);
  return kept;
}

/** What to keep of a chunk that is whole: its other form where that is better, or its bytes as they are. */
export function toKeptChunk(bytes: Uint8Array, reencoder: Reencoder | undefined): KeptChunk {
  reencoder?.add(bytes);
  // Memory of its own: a view of a larger read would keep all of that. The slack of inflating is not worth a copy.
  const isOwn = bytes.byteOffset === 0 && bytes.buffer.byteLength - bytes.byteLength <= SLACK_BYTES;
  return reencoder?.finish() ?? { bytes: isOwn ? bytes : new Uint8Array(bytes) };
}

/** The rare chunk that went by in windows and is to be kept as it is after all. Everybody has been served, so nothing fails. */
const inflateAgain = (chunk: StoredChunk, signal: AbortSignal): Promise<KeptChunk | undefined> =>
  inflateChunk(chunk, signal).then(
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
  waiters: readonly ChunkWaiter[],
  readers: readonly WindowReader[],
  reencoder: Reencoder | undefined,
  signal: AbortSignal,
  pacer: CooperativeRunner,
): Promise<{ left: readonly ChunkWaiter[]; served: boolean }> {
  const reading = new Map(waiters.map((waiter, k) => [waiter, readers[k]]));
  try {
    const total = await decompressWindows(
      chunk.bytes,
      chunk.contentEncoding!,
      { maxBytes: chunk.maxBytes, signal },
      (window, at) => {
        reencoder?.add(window);
        for (const [waiter, read] of reading) {
          try {
            read(window, at);
          } catch (error) {
            reading.delete(waiter); // its own fault alone
            waiter.fail(error);
          }
        }
      },
    );
    if (total !== chunk.exactBytes) return { left: [...reading.keys()], served: false };
    for (const waiter of reading.keys()) {
      const going = pacer.run(waiter.finish(true));
      if (going) await going;
    }
    return { left: [], served: reading.size > 0 };
  } catch (error) {
    for (const waiter of reading.keys()) waiter.fail(error);
    return { left: [], served: false };
  }
}

/** Parts of a chunk, to one who needs no more than those. */
export function deliverPartsTo(parts: readonly ChunkPart[], waiter: ChunkWaiter): void {
  try {
    const read = waiter.windowReader()!;
    for (const { bytes, start } of parts) read(bytes, start);
  } catch (error) {
    return waiter.fail(error);
  }
  runWithoutPause(waiter.finish(true)); // so few values are asked for in parts
}
