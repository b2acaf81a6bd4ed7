/** How much of a root look-up is done between two pauses: counted in IDs, not in time. */
import { describe, expect, test } from '@jest/globals';
import { CooperativeRunner, runWithoutPause, type PausableWork } from '../../../lib/base/cooperative-work.ts';
import { findDistinctInSteps } from '../../../lib/chunkedgraph/ids/distinct.ts';
import { IdLayout } from '../../../lib/chunkedgraph/ids/id-layout.ts';
import { BatchAnswers } from '../../../lib/chunkedgraph/roots/batch-answers.ts';
import { RootBatcher } from '../../../lib/chunkedgraph/roots/root-batcher.ts';
import { createAnswer, RootOutcome } from '../../../lib/chunkedgraph/roots/root-source.ts';
import { ServerClock } from '../../../lib/chunkedgraph/server/server-clock.ts';

const N_LAYERS = 4,
  ROOT = 4n << 56n;
const layout = new IdLayout({
  layerBits: 8,
  spatialBits: new Map([
    [1, 10],
    [2, 10],
  ]),
});
const ascending = (count: number): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, k) => (1n << 56n) | BigInt(k + 1));

/** Runs work to its end. Returns how often it paused, and calls `look` before each step and at the end. */
function countPauses(work: PausableWork<unknown>, look?: () => void): number {
  for (let pauses = 0; ; pauses++) {
    look?.();
    if (work.next().done) return (look?.(), pauses);
  }
}

function batcherOf(
  roots: (ids: BigUint64Array) => Promise<BigUint64Array>,
  runner: CooperativeRunner,
  batchSize: number,
): RootBatcher {
  const clock = new ServerClock({ clocks: { wall: () => 1e12, steady: () => 0 } });
  return new RootBatcher({
    client: { roots, currentRoots: roots, clock },
    ids: layout,
    nLayers: N_LAYERS,
    runner,
    batchSize,
  });
}

describe('pauses of a root look-up', () => {
  test('at most 1024 of very many IDs go to fresh memory in no order between two pauses', () => {
    const words = new Uint32Array(2 * 2 ** 17);
    for (let k = 0; k < words.length; k++) words[k] = Math.imul(k, 0x9e3779b1);
    // Two of the passes: into the second array, and to the place of each ID in the list.
    expect(countPauses(findDistinctInSteps(words))).toBeGreaterThanOrEqual(2 * (2 ** 17 / 1024 - 1));
  });

  test('an answer and the answers of a batch pause while they are filled', () => {
    expect(countPauses(createAnswer(2 ** 20, 0, true))).toBe(3);
    expect(countPauses(BatchAnswers.create(new BigUint64Array(2 ** 20)))).toBe(3);
  });

  test('at most 16384 IDs are marked as failed between two pauses', () => {
    const count = 50_000;
    for (const indices of [{ start: 0, end: count }, Uint32Array.from({ length: count }, (_, k) => k)]) {
      const answers = runWithoutPause(BatchAnswers.create(new BigUint64Array(count)));
      let marked = 0,
        most = 0;
      countPauses(answers.fail(indices, new Error('no')), () => {
        const before = marked;
        while (answers.outcomes[marked] === RootOutcome.failed && answers.failureAt(marked) === 1) marked++;
        most = Math.max(most, marked - before);
      });
      expect([marked, most]).toEqual([count, 16_384]);
    }
  });

  test('requests that fail while others are being marked share one reason', async () => {
    const runner = new CooperativeRunner();
    runner.isDue = () => true;
    const fail = async (): Promise<never> => Promise.reject(new Error('no'));
    const { outcomes, failures } = await batcherOf(fail, runner, 40_000).lookUp(ascending(160_000));
    expect(outcomes.every((outcome) => outcome === RootOutcome.failed)).toBe(true);
    expect(failures.map(({ first, last }) => [first, last])).toEqual([
      [(1n << 56n) | 1n, (1n << 56n) | 160_000n],
    ]);
  });

  test('at most 131072 answers of a caller are checked in one turn', async () => {
    const runner = new CooperativeRunner(),
      pause = runner.pause.bind(runner);
    let pauses = 0;
    runner.pause = () => (pauses++, pause());
    runner.isDue = () => false; // so work that pauses only when it is due never pauses
    const open: (() => void)[] = [];
    const roots = async (ids: BigUint64Array): Promise<BigUint64Array> => {
      await new Promise<void>((resolve) => open.push(resolve));
      return new BigUint64Array(ids.length).fill(ROOT);
    };
    const found = batcherOf(roots, runner, 200_000).lookUp(ascending(400_001));
    while (open.length < 3) await new Promise(setImmediate);
    for (const k of [1, 0]) {
      open[k]();
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    }
    expect(pauses).toBe(3); // at 131,072, 262,144 and 393,216 of the 400,000 answers
    open[2]();
    expect((await found).rootIds.every((root) => root === ROOT)).toBe(true);
  });
});
