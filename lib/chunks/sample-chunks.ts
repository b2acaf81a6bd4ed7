/** Reads a few chunks, to learn how large they are and how long they take. Nothing is decoded or kept. */
import { newMeter } from '../storage/store.ts';
import { runWithoutPause } from '../base/cooperative-work.ts';
import type { ChunkSource, ReadContext, ReadTask } from './chunk-source.ts';
import type { Planned } from './planned.ts';

/** What a sample of chunks showed. */
export interface ChunkSample {
  /** The chunks of the sample: those that are stored, missing, in the disk cache, and those that failed. */
  stored: number;
  missing: number;
  cached: number;
  failed: number;
  /** The stored bytes of the chunks that are stored. */
  chunkBytes: number;
  /** The requests of the sample and their bytes, with those of indices. */
  requests: number;
  bytes: number;
  /** The mean time of a chunk in milliseconds; NaN if none was read. */
  meanMs: number;
  /** The chunks that were read at once, how many they were, and their wall time. The first chunk opens connections. */
  atOnce: number;
  timed: number;
  wallMs: number;
  /** Why chunks failed: up to three different messages. */
  errors: string[];
}

/** If the first chunk is large, fewer are read, so that the sample has about this many bytes. */
const SAMPLE_BYTES = 2 ** 26;

/** Reads chunks: the first one alone, then the others together. */
export async function sampleChunks(
  source: ChunkSource,
  cells: readonly number[],
  { atOnce, signal }: { atOnce: number; signal: AbortSignal },
): Promise<ChunkSample> {
  const meter = newMeter(),
    sample: ChunkSample = {
      stored: 0,
      missing: 0,
      cached: 0,
      failed: 0,
      chunkBytes: 0,
      requests: 0,
      bytes: 0,
      meanMs: NaN,
      atOnce: 0,
      timed: 0,
      wallMs: 0,
      errors: [],
    };
  const read = async (cell: number): Promise<number> => {
    const began = performance.now();
    const fail = (error: unknown): void => {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      sample.failed++;
      if (sample.errors.length < 3 && !sample.errors.includes(message)) sample.errors.push(message);
    };
    let isOpen = true;
    const end = (count: () => void): void => {
      if (isOpen) count();
      isOpen = false;
    };
    const context: ReadContext = {
      signal,
      meter,
      wanted: new Map([[cell, { ranges: undefined }]]),
      deliver(_, chunk, from = 'store') {
        end(() => {
          if (from === 'cache') sample.cached++;
          else if (chunk) sample.stored++;
          else sample.missing++;
          if (chunk && from === 'store') sample.chunkBytes += chunk.storedBytes ?? chunk.bytes.byteLength;
        });
        return Promise.resolve();
      },
      deliverParts: () => undefined, // the whole chunk is wanted
      fail: (_, error) => end(() => fail(error)),
    };
    try {
      for (let tasks = tasksOf(source.plan([cell])); tasks.length > 0;) {
        const next: ReadTask[] = [];
        for (const task of tasks) next.push(...tasksOf((await task.run(context)) ?? []));
        tasks = next;
      }
    } catch (error) {
      context.fail(cell, error);
    }
    signal.throwIfAborted();
    return performance.now() - began;
  };
  const [first, ...others] = cells;
  if (first === undefined) return sample;
  const times = [await read(first)],
    rest = others.slice(0, Math.max(0, Math.ceil(SAMPLE_BYTES / Math.max(1, meter.bytes)) - 1)),
    began = performance.now(),
    queue = rest.values();
  sample.atOnce = Math.max(1, Math.min(atOnce, rest.length));
  const work = async (): Promise<void> => {
    for (const cell of queue) times.push(await read(cell));
  };
  await Promise.all(Array.from({ length: sample.atOnce }, work));
  const timed = rest.length > 0 ? times.slice(1) : times;
  return {
    ...sample,
    requests: meter.requests,
    bytes: meter.bytes,
    timed: timed.length,
    wallMs: rest.length > 0 ? performance.now() - began : times[0],
    meanMs: timed.reduce((sum, ms) => sum + ms, 0) / timed.length,
  };
}

const tasksOf = (planned: Planned<ReadTask>): readonly ReadTask[] =>
  'next' in planned ? runWithoutPause(planned) : planned;
