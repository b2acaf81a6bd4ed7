/** What becomes of chunks that have not come at the deadline of their call. */
import { ChunkError, DeadlineError } from '../base/errors.ts';
import type { ChunkCall } from './chunk-consumer.ts';

/** Most late chunks that fail one by one; with more, `failRest` is called once. */
const MAX_SINGLE_FAILURES = 1000;

/** Fails the chunks that had not come at the deadline of their call. */
export function failLateChunks(
  { source, consumer, isSettled }: ChunkCall,
  cells: Float64Array,
  { timeoutMs }: DeadlineError,
): void {
  let count = 0;
  for (const isOver of isSettled) count += 1 - isOver;
  const late = new DeadlineError(timeoutMs, { what: 'chunks', count, of: cells.length });
  if (consumer.failRest && count > MAX_SINGLE_FAILURES)
    return consumer.failRest(count, ChunkError.of(source.id, late));
  for (const [ordinal, isOver] of isSettled.entries())
    if (!isOver) consumer.fail(ordinal, ChunkError.of(source.urlOf(cells[ordinal]), late));
}
