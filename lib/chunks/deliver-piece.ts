/** Delivers the chunks that lie in pieces of a shard file. */
import { DecodeError } from '../base/errors.ts';
import { isShared } from '../base/shared-memory.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ChunkPart, ReadContext, StoredChunk } from './chunk-source.ts';
import { sliceRange, type ShardPiece } from './shard-file.ts';
import { SharedDelivery } from './shared-delivery.ts';

/** A chunk of a shard, and where it is. */
export interface ShardChunk extends ByteRange {
  readonly cell: number;
  readonly minishard: number;
}

/** The shard, and how its chunks are stored. */
export interface PieceDelivery {
  /** `0b.shard` */
  readonly name: string;
  readonly context: ReadContext;
  readonly storedOf: (cell: number, bytes: Uint8Array, validator: string | undefined) => StoredChunk;
}

/**
 * Delivers chunks out of a piece of the shard.
 * @param piece Undefined if the shard was deleted after its index was read: then no chunk is stored.
 * @returns Whether nothing reads the piece any more, unless the call was aborted.
 */
export async function deliverPiece(
  piece: ShardPiece | undefined,
  chunks: readonly ShardChunk[],
  { name, context, storedOf }: PieceDelivery,
): Promise<boolean> {
  const together = piece && isShared(piece.bytes) ? new SharedDelivery(context) : undefined,
    delivering = new Set<Promise<void>>();
  let hasFailed = false;
  const deliver = async ({ cell, minishard, start, end }: ShardChunk): Promise<void> => {
    try {
      const stored = piece && storedOf(cell, sliceRange(piece, { start, end }), piece.validator);
      await (stored && together ? together.add(cell, stored) : context.deliver(cell, stored));
    } catch (error) {
      hasFailed = true;
      context.fail(cell, withShardName(name, error, `minishard ${minishard}: `));
    }
  };
  for (const chunk of chunks) {
    if (together) {
      await deliver(chunk);
      continue;
    }
    const delivery = deliver(chunk).finally(() => delivering.delete(delivery));
    delivering.add(delivery);
    if (delivering.size >= (context.deliveriesAtOnce ?? 1)) await Promise.race(delivering);
  }
  const areAnswered = (await together?.finish()) ?? true;
  await Promise.all(delivering);
  return areAnswered && !hasFailed;
}

/**
 * Delivers parts of chunks.
 * @param pieces What was read for each of the ranges.
 * @param inParts For each chunk, whether parts of it are wanted. Otherwise one piece holds the whole chunk.
 */
export async function deliverShardParts(
  pieces: readonly Promise<ShardPiece | undefined>[],
  ranges: readonly ByteRange[],
  chunks: readonly ShardChunk[],
  inParts: readonly boolean[],
  { name, context, storedOf }: PieceDelivery,
): Promise<void> {
  const partsOf = (chunk: ShardChunk): Promise<(ChunkPart | undefined)[]> =>
    Promise.all(
      ranges.flatMap((range, k) =>
        range.start < chunk.end && range.end > chunk.start
          ? pieces[k].then((piece) => piece && partOf(chunk, piece, range))
          : [],
      ),
    );
  const deliver = async (chunk: ShardChunk, isPart: boolean): Promise<void> => {
    try {
      const found = await partsOf(chunk),
        parts = found.filter((part) => part !== undefined);
      if (parts.length < found.length)
        await context.deliver(chunk.cell, undefined); // the shard was deleted
      else if (isPart) context.deliverParts(chunk.cell, parts);
      else await context.deliver(chunk.cell, storedOf(chunk.cell, parts[0].bytes, undefined));
    } catch (error) {
      context.fail(chunk.cell, withShardName(name, error, `minishard ${chunk.minishard}: `));
    }
  };
  await Promise.all(chunks.map((chunk, k) => deliver(chunk, inParts[k])));
}

/** Returns the part of a chunk that lies in a range, out of a piece that was read for the range. */
function partOf(chunk: ByteRange, piece: ShardPiece, range: ByteRange): ChunkPart {
  const start = Math.max(range.start, chunk.start),
    end = Math.min(range.end, chunk.end);
  return { start: start - chunk.start, bytes: sliceRange(piece, { start, end }) };
}

/** Adds the name of the shard to a decoding error. */
export const withShardName = (name: string, error: unknown, where = ''): unknown =>
  error instanceof DecodeError
    ? new DecodeError(error.code, `${name}: ${where}${error.message}`, { cause: error })
    : error;
