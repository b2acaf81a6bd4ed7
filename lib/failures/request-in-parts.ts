/** Many IDs asked a part at a time: a part that a server cannot answer is halved, so that one bad ID costs no other its answer. */
import { LookupError } from '../base/errors.ts';
import { MAX_FAILURES_IN_A_ROW } from './retry-counter.ts';
import { decideByError } from './retry-decision.ts';

/** What came of one part: an answer for each of its IDs, or why there is none. */
export type PartOutcome<Ids, Answer> =
  | { ids: Ids; answers: readonly Answer[]; error?: undefined }
  | { ids: Ids; answers?: undefined; error: Error };

export interface PartOptions {
  /** Most IDs in one question. */
  maxIds: number;
  /** Questions at once. @default 4 */
  concurrency?: number;
  signal?: AbortSignal;
}

interface List<Ids> {
  readonly length: number;
  slice(start: number, end?: number): Ids;
}

/**
 * Outcomes in the order of the IDs, as they come.
 * @param ask Answers in order.
 * @throws signal.reason; what is no LookupError: the question itself is wrong, whatever the ID.
 */
export async function* requestInParts<Ids extends List<Ids>, Answer>(
  ids: Ids,
  ask: (part: Ids) => Promise<readonly Answer[]>,
  { maxIds: size, concurrency = 4, signal }: PartOptions,
): AsyncGenerator<PartOutcome<Ids, Answer>> {
  let hopeless = 0;
  const outcomesOf = async (part: Ids): Promise<PartOutcome<Ids, Answer>[]> => {
    try {
      const answers = await ask(part);
      hopeless = 0;
      return [{ ids: part, answers }];
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof LookupError)) throw error;
      if (decideByError('parts', error) === 'stands') hopeless++;
      else if (part.length > 1) {
        const middle = part.length >>> 1;
        return [...(await outcomesOf(part.slice(0, middle))), ...(await outcomesOf(part.slice(middle)))];
      }
      return [{ ids: part, error }];
    }
  };
  const underWay: Promise<PartOutcome<Ids, Answer>[]>[] = [];
  let last: Error | undefined;
  for (let start = 0; start < ids.length || underWay.length > 0; start += size) {
    if (start < ids.length) {
      const part = ids.slice(start, start + size);
      const outcomes =
        hopeless >= MAX_FAILURES_IN_A_ROW && last
          ? Promise.resolve([{ ids: part, error: last }])
          : outcomesOf(part);
      outcomes.catch(() => undefined); // whoever leaves early hears of no other
      underWay.push(outcomes);
      if (underWay.length < concurrency && start + size < ids.length) continue;
    }
    for (const outcome of (await underWay.shift())!) {
      last = outcome.error ?? last;
      yield outcome;
    }
  }
}
