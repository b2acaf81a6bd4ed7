/** A source that looks for chunks in the disk cache first, and saves there what it had to read. */
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { RowRunsEncoder, rowRunsCodec } from '../codecs/row-runs.ts';
import { maxStoredBytes } from '../compression/decompress.ts';
import { chunkKey } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { VersionChecks, ChunkDiskCache } from './chunk-disk-cache.ts';
import type {
  ChunkSource,
  KeptChunk,
  ObjectSource,
  ReadContext,
  ReadTask,
  Reencoder,
  StoredChunk,
} from './chunk-source.ts';
import { describeContent } from './chunk-store.ts';
import { mapPlanned } from './planned.ts';

/** The disk cache of a source, and how its chunks are stored. */
export interface DiskCachedOptions {
  cache: ChunkDiskCache;
  scale: Scale;
  codec: Codec;
  layoutOf: (cell: number) => ChunkLayout;
}

/**
 * The forms of an entry: the bytes of the source without compression; row runs; or, after this prefix, the bytes as stored with their
 * content encoding.
 */
const INFLATED = 'inflated',
  ROW_RUNS = 'row-runs',
  STORED = 'stored ';

/** A chunk that shrinks by more than this when compressed is kept as it was stored: writing the rest takes longer than inflating. */
const MOST_GROWTH = 8;
/** Smaller chunks are always kept inflated. */
const SMALL_BYTES = 65_536;

/** Returns a form of a chunk that is small and quick to read again. */
function chooseForm({ bytes, codec }: KeptChunk, stored: StoredChunk): { bytes: Uint8Array; form: string } {
  if (codec) return { bytes, form: ROW_RUNS };
  if (bytes.byteLength <= Math.max(SMALL_BYTES, MOST_GROWTH * stored.bytes.byteLength))
    return { bytes, form: INFLATED };
  return { bytes: stored.bytes, form: STORED + (stored.contentEncoding ?? '') };
}

/** Returns how the bytes of an entry are decoded; undefined if its form is not known. */
function encodingOf(form = ''): Pick<StoredChunk, 'contentEncoding' | 'codec'> | undefined {
  if (form === INFLATED) return { contentEncoding: undefined };
  if (form === ROW_RUNS) return { contentEncoding: undefined, codec: rowRunsCodec };
  return form.startsWith(STORED) ? { contentEncoding: form.slice(STORED.length) || undefined } : undefined;
}

/** Converts raw chunks of labels to row runs. */
function encodeRuns(layout: ChunkLayout): Reencoder | undefined {
  if (!rowRunsCodec.dataTypes.includes(layout.dataType)) return undefined;
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
const AT_ONCE = 8;

/**
 * Adds a disk cache to a source. Each task delivers what is on disk, and reads the rest in follow-up tasks.
 */
export function diskCachedSource(
  source: ObjectSource,
  { cache, scale, codec, layoutOf }: DiskCachedOptions,
): ChunkSource {
  const keyOf = (cell: number): string => chunkKey(scale, cell);

  const deliverFromDisk = async (
    cell: number,
    context: ReadContext,
    checks: VersionChecks,
  ): Promise<boolean> => {
    const content = describeContent(codec, layoutOf(cell));
    const found = await cache.get(
      keyOf(cell),
      source.objectKeyOf(cell),
      maxStoredBytes(content.maxBytes),
      context,
      checks,
    );
    if (!found) return false;
    const encoding = encodingOf(found.form);
    if (found.bytes && !encoding) return false;
    const chunk = found.bytes && { bytes: found.bytes, ...content, ...encoding! };
    await context.deliver(cell, chunk, 'cache');
    return true;
  };

  const withDiskLookup = (task: ReadTask): ReadTask => ({
    cells: task.cells,
    async run(context) {
      const missing: number[] = [],
        checks: VersionChecks = new Map();
      const queue = task.cells.values();
      const work = async (): Promise<void> => {
        for (const cell of queue) {
          if (context.signal.aborted) return; // no call waits for the rest
          try {
            if (!(await deliverFromDisk(cell, context, checks))) missing.push(cell);
          } catch (error) {
            context.fail(cell, error);
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, task.cells.length) }, work));
      context.signal.throwIfAborted();
      if (missing.length === task.cells.length) return task.run(context);
      return missing.length > 0 ? source.plan(missing) : undefined;
    },
  });

  return {
    id: source.id,
    urlOf: (cell) => source.urlOf(cell),
    plan: (cells) => mapPlanned(source.plan(cells), withDiskLookup),
    save(cell, kept, stored) {
      const { bytes, form } =
        kept && stored ? chooseForm(kept, stored) : { bytes: undefined, form: undefined };
      return cache.put(keyOf(cell), bytes, stored?.validator, form);
    },
    savedFormOf: codec.encoding === 'raw' ? (cell) => encodeRuns(layoutOf(cell)) : undefined,
  };
}
