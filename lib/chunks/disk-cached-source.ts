/** A source that looks for chunks in the disk cache first, and saves there what it had to read. */
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { RowRunsEncoder, rowRunsCodec } from '../codecs/row-runs.ts';
import { maxStoredBytes } from '../compression/decompress.ts';
import { chunkKey } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { VersionChecks, ChunkDiskCache } from './chunk-disk-cache.ts';
import type { ChunkSource, ObjectSource, ReadContext, ReadTask, Reencoder } from './chunk-source.ts';
import { describeContent } from './chunk-store.ts';
import type { ChunkWork, ChunkWorkResult } from './chunk-work.ts';
import { chooseForm, encodingOf, isQuickToRead, mayKeepRuns } from './disk-form.ts';
import { mapPlanned } from './planned.ts';

/** The disk cache of a source, and how its chunks are stored. */
export interface DiskCachedOptions {
  cache: ChunkDiskCache;
  scale: Scale;
  codec: Codec;
  layoutOf: (cell: number) => ChunkLayout;
}

/** Converts raw chunks of labels to row runs. */
function encodeRuns(layout: ChunkLayout): Reencoder {
  const encoder = new RowRunsEncoder(layout);
  return {
    add: (raw) => encoder.add(raw),
    *finish() {
      const bytes = encoder.finish();
      return bytes && { bytes, codec: rowRunsCodec };
    },
  };
}

/** How many cache entries of one task are read at once. */
const AT_ONCE = 32;

/**
 * Adds a disk cache to a source. Each task delivers what is on disk, and reads the rest in follow-up tasks.
 */
export function diskCachedSource(
  source: ObjectSource,
  { cache, scale, codec, layoutOf }: DiskCachedOptions,
): ChunkSource {
  const keyOf = (cell: number): string => chunkKey(scale, cell);

  const readsHere = isQuickToRead(codec);

  const deliverFromDisk = async (
    cell: number,
    context: ReadContext,
    checks: VersionChecks,
  ): Promise<boolean> => {
    const content = describeContent(codec, layoutOf(cell));
    let work: ChunkWork | undefined,
      result: ChunkWorkResult | undefined,
      storedBytes = 0;
    const found = await cache.get(
      keyOf(cell),
      source.objectKeyOf(cell),
      maxStoredBytes(content.maxBytes),
      context,
      checks,
      false,
      readsHere || !context.readEntry
        ? undefined
        : async (place) => {
            work = context.workOf?.(cell, content);
            const read = work && (await context.readEntry!(place, work));
            result = read?.result;
            storedBytes = read?.storedBytes ?? 0;
            return read;
          },
    );
    if (!found) return false;
    const encoding = encodingOf(found.form);
    if (found.bytes && !encoding) {
      found.release?.();
      return false;
    }
    const workDone = work && result && { work, result };
    await context.deliver(
      cell,
      found.bytes && {
        bytes: found.bytes,
        ...content,
        ...encoding!,
        ...(workDone && { workDone, storedBytes }),
      },
      'cache',
    );
    found.release?.();
    return true;
  };

  const withDiskLookup = (task: ReadTask): ReadTask => ({
    cells: task.cells,
    async run(context) {
      const missing: number[] = [],
        checks: VersionChecks = new Map();
      const { stop } = context; // a signal costs more than all else that is done for a cell
      const isStopped = (): boolean => (stop ? stop.isStopped : context.signal.aborted);
      const readOne = async (cell: number): Promise<void> => {
        if (isStopped()) return; // no call waits for the rest
        try {
          if (await deliverFromDisk(cell, context, checks)) return;
          context.onMiss?.();
          missing.push(cell);
        } catch (error) {
          context.fail(cell, error);
        }
      };
      if (readsHere) {
        // Entries that are asked for in one turn are read together.
        for (let at = 0; at < task.cells.length && !isStopped(); at += AT_ONCE)
          await Promise.all(task.cells.slice(at, at + AT_ONCE).map(readOne));
      } else {
        const queue = task.cells.values();
        const readNext = async (): Promise<void> => {
          for (const cell of queue) await readOne(cell);
        };
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, task.cells.length) }, readNext));
      }
      if (stop) stop.throwIfStopped();
      else context.signal.throwIfAborted();
      if (missing.length === task.cells.length) return task.run(context);
      return missing.length > 0 ? source.plan(missing) : undefined;
    },
  });

  return {
    id: source.id,
    urlOf: (cell) => source.urlOf(cell),
    contentOf: (cell) => describeContent(codec, layoutOf(cell)),
    get isReadHere() {
      return readsHere && cache.mayHoldEntries;
    },
    plan: (cells) => mapPlanned(source.plan(cells), withDiskLookup),
    save(cell, kept, stored, held) {
      if (held && stored) return cache.putHeld(keyOf(cell), held, stored.validator, held.form);
      const { bytes, form } =
        kept && stored ? chooseForm(kept, stored) : { bytes: undefined, form: undefined };
      return cache.put(keyOf(cell), bytes, stored?.validator, form);
    },
    saveOrderOf: (cell, version) => cache.saveOrder(keyOf(cell), version),
    noteSaved: (cell, saved) => cache.noteSaved(keyOf(cell), saved),
    savedFormOf: (cell, stored) =>
      mayKeepRuns(stored, stored.bytes.byteLength) ? encodeRuns(layoutOf(cell)) : undefined,
  };
}
