/**
 * Turns answers and expected values into text, so that a spec compares a whole scale at once. A comparison
 * per row is slow.
 */
import type { ValueRow } from '../lib/points/result.ts';
import type { Fixture } from './fixtures.ts';

type ExpectedScale = Fixture['scales'][number];

/** The value that CloudVolume read at each point of a scale, or the status that the point must have. */
export const expectedAnswers = (
  { points, values, missingChunk }: ExpectedScale,
  dataType: string,
): string[] =>
  points.map((_, i) => {
    const expected = values[i];
    if (expected === null) return 'out_of_bounds';
    if (missingChunk.has(i)) return 'missing_chunk';
    const channels = Array.isArray(expected) ? expected : [expected];
    return (dataType === 'float32' ? channels.map(Number) : channels).join();
  });

/** The values of each row, or its status if it has no values. */
export const shownAnswers = (rows: Iterable<ValueRow>): string[] =>
  Array.from(rows, ({ status, values }) =>
    status === 'ok' || status === 'background' ? values.join() : status,
  );
