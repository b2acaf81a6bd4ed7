/** The same source, whose chunks are looked for on disk first and kept there when they had to be read. */
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { rawCodec } from '../codecs/raw.ts';
import { chunkKey } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import type { VersionChecks, ChunkDiskCache } from './chunk-disk-cache.ts';
import type { ChunkSource, ObjectSource, ReadContext, ReadTask } from './chunk-source.ts';
import { describeContent } from './chunk-store.ts';
import { mapPlanned } from './planned.ts';

export interface DiskCachedOptions {
  cache: ChunkDiskCache;
  scale: Scale;
  codec: Codec;
  layoutOf: (cell: number) => ChunkLayout;
}

/** Entries of one task that are read at a time. */
const AT_ONCE = 8;

/** Tasks are those of the source; of each, what is on disk is delivered, and the rest goes on in tasks of its own. */
export function diskCachedSource(
  source: ObjectSource,
  { cache, scale, codec, layoutOf }: DiskCachedOptions,
): ChunkSource {
  const keyOf = (cell: number): string => chunkKey(scale, cell);

  const fromDisk = async (cell: number, context: ReadContext, checks: VersionChecks): Promise<boolean> => {
    const layout = layoutOf(cell);
    // What was decoded as a whole is kept so.
    const { maxBytes, exactBytes } = describeContent(codec.decodeChunk ? rawCodec : codec, layout);
    const found = await cache.get(keyOf(cell), source.objectKeyOf(cell), maxBytes, context, checks);
    if (!found) return false;
    const chunk = found.bytes && { bytes: found.bytes, contentEncoding: undefined, maxBytes, exactBytes };
    await context.deliver(cell, chunk, 'cache');
    return true;
  };

  const looking = (task: ReadTask): ReadTask => ({
    cells: task.cells,
    async run(context) {
      const missing: number[] = [],
        checks: VersionChecks = new Map();
      const queue = task.cells.values();
      const work = async (): Promise<void> => {
        for (const cell of queue) {
          if (context.signal.aborted) return; // nobody wants the rest
          try {
            if (!(await fromDisk(cell, context, checks))) missing.push(cell);
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
    plan: (cells) => mapPlanned(source.plan(cells), looking),
    save: (cell, bytes, validator) => cache.put(keyOf(cell), bytes, validator),
  };
}
