/**
 * Delivers chunks that lie in memory which threads share. Each command to a thread holds the work on several
 * chunks, so that there are few messages.
 */
import type { ReadContext, StoredChunk } from './chunk-source.ts';
import type { ChunkWork, ChunkWorkResult } from './chunk-work.ts';

/** A chunk that waits for its work. */
interface WaitingChunk {
  readonly cell: number;
  readonly stored: StoredChunk;
  readonly work: ChunkWork;
}

/** Most chunks of one command, and most stored bytes unless it is one chunk: some milliseconds of work. */
const MOST_CHUNKS = 16,
  MOST_BYTES = 512 * 1024;
/** Commands of a task that wait for each thread, so that none is idle. */
const COMMANDS_PER_THREAD = 2;

/** Delivers the chunks of one task. */
export class SharedDelivery {
  readonly #context: ReadContext;
  readonly #working = new Set<Promise<void>>();
  #waiting: WaitingChunk[] = [];
  #bytes = 0;
  #areAnswered = true;

  constructor(context: ReadContext) {
    this.#context = context;
  }

  /** Adds a chunk. Resolves when another one may be added. Rejects as little as `deliver`. */
  add(cell: number, stored: StoredChunk): Promise<unknown> | undefined {
    const { threads, workOf, deliver } = this.#context,
      work = workOf?.(cell, stored);
    if (!threads || !work) return deliver(cell, stored);
    const { byteLength } = stored.bytes;
    if (this.#waiting.length === MOST_CHUNKS || this.#bytes + byteLength > MOST_BYTES) this.#send();
    this.#waiting.push({ cell, stored, work });
    this.#bytes += byteLength;
    return this.#working.size >= COMMANDS_PER_THREAD * threads.ready
      ? Promise.race(this.#working)
      : undefined;
  }

  /** Resolves when all chunks are delivered, with whether the threads have answered everything. */
  async finish(): Promise<boolean> {
    this.#send();
    await Promise.all(this.#working);
    return this.#areAnswered;
  }

  #send(): void {
    const chunks = this.#waiting;
    if (chunks.length === 0) return;
    this.#waiting = [];
    this.#bytes = 0;
    const working = this.#deliver(chunks).finally(() => this.#working.delete(working));
    this.#working.add(working);
  }

  async #deliver(chunks: readonly WaitingChunk[]): Promise<void> {
    const { threads, stop, deliver, deliverNow, fail } = this.#context;
    let results: readonly (ChunkWorkResult | undefined)[];
    try {
      results = await threads!.workOnAll(
        chunks.map(({ stored: { bytes, contentEncoding }, work }) => ({ bytes, contentEncoding, work })),
        stop!,
      );
    } catch (error) {
      this.#areAnswered = false;
      if (stop!.isStopped) return; // no call waits for these chunks, so they have not failed
      for (const { cell } of chunks) fail(cell, error);
      return;
    }
    // All at once, so that the thread writes those that are saved together.
    const deliveries: Promise<void>[] = [];
    for (const [k, { cell, stored, work }] of chunks.entries()) {
      const result = results[k],
        workDone = result && { work, result };
      if (!workDone || !deliverNow?.(cell, workDone, stored.bytes.byteLength))
        deliveries.push(deliver(cell, workDone ? { ...stored, workDone } : stored));
    }
    await Promise.all(deliveries);
  }
}
