/**
 * Requests many IDs in parts. A part that fails is halved, so that one bad ID does not cost the others their
 * answers.
 */
import { LookupError } from '../base/errors.ts';
import { MAX_FAILURES_IN_A_ROW } from './retry-counter.ts';
import { decideByError } from './retry-decision.ts';

/** The outcome of one part: an answer for each of its IDs, or the error. */
export type PartOutcome<Ids, Answer> =
  | { ids: Ids; answers: readonly Answer[]; error?: undefined }
  | { ids: Ids; answers?: undefined; error: Error };

/** Options of {@link requestInParts}. */
export interface PartOptions {
  /** Most IDs in one request. */
  maxIds: number;
  /** Most requests in flight. @default 4 */
  concurrency?: number;
  signal?: AbortSignal;
}

interface List<Ids> {
  readonly length: number;
  slice(start: number, end?: number): Ids;
}

/**
 * Yields the outcomes in the order of the IDs, as soon as each is known.
 * @param request Requests one part. Must return its answers in the order of the IDs.
 * @throws signal.reason; any error that is not a LookupError, because then the request itself is wrong for
 *   every ID.
 */
export async function* requestInParts<Ids extends List<Ids>, Answer>(
  ids: Ids,
  request: (part: Ids) => Promise<readonly Answer[]>,
  { maxIds, concurrency = 4, signal }: PartOptions,
): AsyncGenerator<PartOutcome<Ids, Answer>> {
  let failuresInARow = 0;
  const outcomesOf = async (part: Ids): Promise<PartOutcome<Ids, Answer>[]> => {
    try {
      const answers = await request(part);
      failuresInARow = 0;
      return [{ ids: part, answers }];
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof LookupError)) throw error;
      if (decideByError('parts', error) === 'final') failuresInARow++;
      else if (part.length > 1) {
        const middle = part.length >>> 1;
        return [...(await outcomesOf(part.slice(0, middle))), ...(await outcomesOf(part.slice(middle)))];
      }
      return [{ ids: part, error }];
    }
  };
  const inFlight: Promise<PartOutcome<Ids, Answer>[]>[] = [];
  let last: Error | undefined;
  for (let start = 0; start < ids.length || inFlight.length > 0; start += maxIds) {
    if (start < ids.length) {
      const part = ids.slice(start, start + maxIds);
      const outcomes =
        failuresInARow >= MAX_FAILURES_IN_A_ROW && last
          ? Promise.resolve([{ ids: part, error: last }])
          : outcomesOf(part);
      outcomes.catch(() => undefined); // handled below, unless the caller stops early
      inFlight.push(outcomes);
      if (inFlight.length < concurrency && start + maxIds < ids.length) continue;
    }
    for (const outcome of (await inFlight.shift())!) {
      last = outcome.error ?? last;
      yield outcome;
    }
  }
}
