/** Every call ends, whenever answers, failures, aborts and deadlines come around the end of another call. */
import { describe, expect, test } from '@jest/globals';
import { DeadlineError } from '../../lib/base/errors.ts';
import { ChunkReader, type ChunkConsumer } from '../../lib/chunks/chunk-reader.ts';
import type { ChunkSource, ReadContext, ReadTask } from '../../lib/chunks/chunk-source.ts';
import { alwaysDue, neverDue } from '../support/runners.ts';
import { seeded } from '../../testing/random.ts';
import { deferred, nextTurn } from '../support/stub-store.ts';

const microtasks = async (count: number): Promise<void> => {
  for (let k = 0; k < count; k++) await Promise.resolve();
};

type Answer = 'bytes' | 'absent' | 'fails' | 'follow-up' | 'stalls';

/**
 * Gives the answers of `answerOf`, after the given number of microtasks. A stalled read ends with its signal
 * or with `goesOn`.
 */
function sourceOf(
  answerOf: () => { answer: Answer; after: number; cellsATask: number },
  goesOn = deferred<void>().promise,
): ChunkSource {
  const run = async (
    cells: readonly number[],
    again: boolean,
    { signal, deliver, fail }: ReadContext,
  ): Promise<readonly ReadTask[] | void> => {
    const { answer, after } = answerOf();
    if (answer === 'stalls')
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        void goesOn.then(resolve);
      });
    await microtasks(after);
    if (answer === 'follow-up' && again) return cells.map((cell) => task([cell], false));
    for (const cell of cells)
      if (answer === 'fails') fail(cell, new Error('broken'));
      else
        await deliver(
          cell,
          answer === 'absent'
            ? undefined
            : { bytes: Uint8Array.of(cell), contentEncoding: undefined, maxBytes: 1 },
        );
  };
  const task = (cells: readonly number[], again: boolean): ReadTask => ({
    cells,
    run: (context) => run(cells, again, context),
  });
  return {
    id: 's',
    urlOf: (cell) => `https://bucket.example/${cell}`,
    plan(cells) {
      const tasks: ReadTask[] = [],
        { cellsATask } = answerOf();
      for (let at = 0; at < cells.length; at += cellsATask)
        tasks.push(task(cells.slice(at, at + cellsATask), true));
      return tasks;
    },
  };
}

/** Counts the end of each chunk: received or failed, and only once. */
class Tally implements ChunkConsumer {
  readonly settled: number[];
  constructor(count: number) {
    this.settled = Array<number>(count).fill(0);
  }
  receive(): void {}
  done(ordinal: number): void {
    this.settled[ordinal]++;
  }
  fail(ordinal: number): void {
    this.settled[ordinal]++;
  }
}

interface Made {
  call: Promise<'answered' | 'left'>;
  tally: Tally;
  ended: boolean;
}

function call(
  reader: ChunkReader,
  source: ChunkSource,
  cells: readonly number[],
  signal?: AbortSignal,
): Made {
  const tally = new Tally(cells.length);
  const made: Made = {
    tally,
    ended: false,
    call: reader.read(source, Float64Array.from(cells), tally, signal).then(
      () => 'answered',
      () => 'left',
    ),
  };
  void made.call.then(() => (made.ended = true));
  return made;
}

/** Waits until every call has ended, or nothing more can happen. */
const settle = async (made: readonly Made[]): Promise<void> => {
  for (let turn = 0; turn < 12 || (turn < 1000 && !made.every(({ ended }) => ended)); turn++)
    await nextTurn();
};

describe('ChunkReader: a call made any number of microtasks after another has ended', () => {
  const ends = ['answered', 'absent', 'failed', 'deadline', 'abort'] as const;
  test.each(ends.flatMap((end) => [1, 2, 3, 32].map((concurrency) => ({ end, concurrency }))))(
    'is answered: $end, concurrency $concurrency',
    async ({ end, concurrency }) => {
      for (const chunks of [1, 2, 3, 40])
        for (let pause = 0; pause <= 12; pause++) {
          const first: Answer =
            end === 'answered'
              ? 'bytes'
              : end === 'absent'
                ? 'absent'
                : end === 'failed'
                  ? 'fails'
                  : 'stalls';
          let answer = first;
          const reader = new ChunkReader({ concurrency, runner: neverDue() }),
            source = sourceOf(() => ({ answer, after: 0, cellsATask: 1 }));
          const cells = [...Array(chunks).keys()],
            controller = new AbortController();
          const before = call(reader, source, cells, controller.signal);
          if (first === 'stalls') {
            await nextTurn();
            controller.abort(end === 'deadline' ? new DeadlineError(5) : new Error('enough'));
          }
          await before.call;
          await microtasks(pause);
          answer = 'bytes';
          const next = call(reader, source, cells);
          await settle([next]);
          expect({ chunks, pause, ended: next.ended, settled: next.tally.settled }).toEqual({
            chunks,
            pause,
            ended: true,
            settled: cells.map(() => 1),
          });
        }
    },
  );
});

test.each([1, 2, 3, 8])(
  'ChunkReader, concurrency %d: every call ends, with random answers, aborts and deadlines at random microtasks',
  async (concurrency) => {
    const answers: Answer[] = ['bytes', 'bytes', 'absent', 'fails', 'follow-up', 'stalls'];
    for (let seed = 0; seed < 150; seed++) {
      const random = seeded(1000 * concurrency + seed),
        goesOn = deferred<void>();
      const source = sourceOf(
        () => ({ answer: random.pick(answers), after: random.below(6), cellsATask: 1 + random.below(3) }),
        goesOn.promise,
      );
      const reader = new ChunkReader({
        concurrency,
        lruBytes: 4 * random.below(2),
        runner: seed % 2 === 0 ? neverDue() : alwaysDue(),
      });
      const made: Made[] = [],
        controllers: AbortController[] = [];
      for (let step = 0; step < 30; step++) {
        if (random.below(5) < 3) {
          const controller = new AbortController(),
            first = random.below(10);
          controllers.push(controller);
          made.push(
            call(
              reader,
              source,
              Array.from({ length: random.below(6) }, (_, k) => first + k),
              controller.signal,
            ),
          );
        } else if (controllers.length > 0)
          random.pick(controllers).abort(random.pick([new DeadlineError(5), new Error('enough')]));
        await (random.below(5) === 0 ? nextTurn() : microtasks(random.below(8)));
      }
      goesOn.resolve();
      made.push(call(reader, source, [...Array(16).keys()]));
      await settle(made);
      expect({ seed, ended: made.map(({ ended }) => ended) }).toEqual({ seed, ended: made.map(() => true) });
      for (const { call: outcome, tally } of made)
        if ((await outcome) === 'answered') expect(tally.settled.every((times) => times === 1)).toBe(true);
    }
  },
);
