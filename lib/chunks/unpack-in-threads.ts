/** Delivers chunks whose work was done in another thread, or that another thread can do. */
import { reviveError } from '../base/revive-error.ts';
import { safeText } from '../base/secret-redaction.ts';
import type { CooperativeRunner } from '../base/cooperative-work.ts';
import type { Stop } from '../base/stop.ts';
import type { ErrorJson } from '../base/error-json.ts';
import { rawCodec } from '../codecs/raw.ts';
import { codecFor } from '../codecs/registry.ts';
import type { ChunkWaiter } from './chunk-consumer.ts';
import type { ChunkContent, HeldChunk, KeptChunk, Reencoder, StoredChunk } from './chunk-source.ts';
import type { ChunkThreads } from './chunk-threads.ts';
import type { ChunkWork, ChunkWorkResult } from './chunk-work.ts';
import { isSlow } from './slow-chunks.ts';
import { isDeliveredInWindows, toKeptChunk, unpackChunk, WHOLE_BYTES } from './unpack.ts';

/** Work on a chunk, and the calls that get its values, in the order of the work. */
export interface OrderedWork {
  readonly work: ChunkWork;
  readonly readers: readonly ChunkWaiter[];
  /** The calls that get the decompressed bytes. */
  readonly bytesReaders: readonly ChunkWaiter[];
}

/**
 * Makes the work on a chunk for the calls that wait for it.
 * @param keep How the chunk is kept if it is: as its decompressed bytes, or converted.
 * @returns Undefined for very large chunks, which are read in windows.
 */
export function orderWork(
  content: ChunkContent,
  waiters: readonly ChunkWaiter[],
  keep: (() => Reencoder | undefined) | undefined,
  {
    wantsStored = false,
    holds = false,
    saves,
  }: Partial<Pick<ChunkWork, 'wantsStored' | 'holds' | 'saves'>> = {},
): OrderedWork | undefined {
  const { encoding, layout, maxBytes, exactBytes } = content;
  if (encoding === undefined || layout === undefined || (exactBytes ?? 0) > WHOLE_BYTES) return undefined;
  const readers: ChunkWaiter[] = [],
    bytesReaders: ChunkWaiter[] = [],
    voxels: Uint32Array[] = [];
  for (const waiter of waiters) {
    const wanted = waiter.voxels;
    (wanted ? readers : bytesReaders).push(waiter);
    if (!wanted) continue;
    voxels.push(wanted.slice()); // a view would be sent with all the memory behind it
  }
  const needsBytes = keep !== undefined || bytesReaders.length > 0,
    // Calls that need the bytes decode them, too.
    wantsRaw = needsBytes && isSlow(content) && (keep === undefined || keep()?.isForCalls === true),
    wanted = { wantsBytes: needsBytes && !wantsRaw, wantsRaw, wantsStored };
  return {
    work: { encoding, layout, maxBytes, exactBytes, voxels, ...wanted, holds, ...(saves && { saves }) },
    readers,
    bytesReaders,
  };
}

/** What {@link unpackWithThreads} works with. */
export interface Unpacking {
  threads: ChunkThreads;
  runner: CooperativeRunner;
  /** The work that was sent with the request for the chunk, if any. */
  ordered: OrderedWork | undefined;
  /** Lets calls wait again that joined too late. */
  putBack: (waiters: readonly ChunkWaiter[]) => void;
  /** See {@link unpackChunk}. */
  keep: (() => Reencoder | undefined) | undefined;
  /** Given if the thread may hold what is to be saved, instead of `keep`. Called if it does. */
  onHeld: ((held: HeldChunk) => void) | undefined;
  stop: Stop;
}

/** As {@link unpackChunk}, but another thread does the work where that costs less. */
export async function unpackWithThreads(
  chunk: StoredChunk,
  waiters: readonly ChunkWaiter[],
  { threads, runner, ordered, putBack, keep, onHeld, stop }: Unpacking,
): Promise<KeptChunk | undefined> {
  const { workDone } = chunk;
  let order = workDone && workDone.work === ordered?.work ? ordered : undefined,
    result: ChunkWorkResult | undefined = order && workDone!.result;
  if (!result && isWorthSending(chunk)) {
    order = orderWork(chunk, waiters, onHeld ? undefined : keep, { holds: onHeld !== undefined });
    const working = order && threads.work(chunk.bytes, chunk.contentEncoding, order.work, stop);
    try {
      result = working && (await working);
    } catch (error) {
      for (const waiter of waiters) waiter.fail(error);
      return undefined;
    }
  }
  if (!order || !result) return unpackChunk(chunk, waiters, keep, stop, runner);
  const { readers, bytesReaders } = order;
  let wasAccepted = false;
  for (const [k, reader] of readers.entries()) {
    const values = result.values[k] as ChunkWorkResult['values'][number] | undefined;
    if (result.error || values === undefined) reader.fail(errorOf(result.error));
    else if (!ArrayBuffer.isView(values)) reader.fail(errorOf(values));
    else {
      const work = reader.deliverValues(values),
        delivering = work && runner.run(work);
      if (delivering) await delivering;
      wasAccepted = true;
    }
  }
  // Otherwise they would read a broken chunk again, without end.
  if (result.error) for (const reader of bytesReaders) reader.fail(errorOf(result.error));
  const rest = waiters.filter(
    (waiter) => !readers.includes(waiter) && !(result.error && bytesReaders.includes(waiter)),
  );
  // The chunk is read again for them.
  const { raw, bytes } = result;
  if (!raw && !bytes && isElsewhere(chunk)) putBack(rest);
  else if (rest.length > 0) {
    const decoded = raw ? { ...chunk, codec: rawCodec } : chunk,
      kept = await unpackChunk(decoded, rest, keep, stop, runner, raw ?? bytes);
    if (kept) wasAccepted = true;
    if (!result.held && !result.saved) return kept;
  }
  const { held } = result;
  if (wasAccepted && held && onHeld)
    onHeld({ ...held, write: (...target) => threads.save(result, ...target) });
  if (!wasAccepted || held || result.saved || !keep) return undefined;
  return raw ? { bytes: raw, codec: rawCodec } : bytes && runner.run(toKeptChunk(bytes, keep()));
}

/**
 * Returns what the memory cache keeps of a chunk that was saved to the disk cache, too.
 * @param chunk The chunk, as it came from its source.
 */
export async function convertKept(
  kept: KeptChunk,
  chunk: StoredChunk | undefined,
  reencoder: Reencoder | undefined,
  runner: CooperativeRunner,
  stop: Stop,
  threads: ChunkThreads | undefined,
): Promise<KeptChunk> {
  const { work } = (chunk && threads && isSlow(chunk) && orderWork(chunk, [], () => reencoder)) || {};
  try {
    const result = work?.wantsRaw ? await threads!.work(kept.bytes, undefined, work, stop) : undefined;
    if (result?.raw) return { bytes: result.raw, codec: rawCodec };
  } catch {
    return kept; // no call waits for the chunk now
  }
  return runner.run(toKeptChunk(kept.bytes, reencoder));
}

/** Whether the stored bytes of a chunk stayed in the thread that fetched them. */
export const isElsewhere = ({ bytes, storedBytes = 0 }: StoredChunk): boolean =>
  bytes.byteLength === 0 && storedBytes > 0;

/** Whether a chunk takes more time to decompress and decode than to send to another thread. */
const isWorthSending = (chunk: StoredChunk): boolean =>
  chunk.codec === undefined &&
  chunk.encoding !== undefined &&
  (chunk.contentEncoding !== undefined || codecFor(chunk.encoding)?.isPointwise !== true) &&
  !isDeliveredInWindows(chunk);

const errorOf = (json: ErrorJson | undefined): Error =>
  json
    ? reviveError({ ...json, message: safeText(json.message) })
    : new Error('the worker thread gave no values');
