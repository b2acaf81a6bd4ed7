/** Roots, and what became of them, at any moment, against our own book. */
import type { ChunkedGraph } from '../lib/index.ts';
import type { Live } from './pcg-ledger.ts';
import { sorted } from './pcg-server.ts';

export async function checkTime(live: Live): Promise<void> {
  const { graph, ledger, check, one } = live,
    { ever, epochs } = ledger;
  check(
    'rootTimestamps',
    (await graph.rootTimestamps(ever)).map(Number),
    ever.map((root) => ledger.madeIn(root).ms),
  );
  await checkEdges(live);
  for (const ms of [...epochs.map(({ ms }) => ms), ...moments(live, 15)]) {
    const asked = Array.from({ length: 6 }, () => one(ever));
    await checkState(live, ms);
    await checkDelta(live, ms, one(moments(live, 20)));
    await checkRelatives(live, ms, asked);
    for (const by of ['supervoxels', 'level2'] as const) await checkVotes(live, ms, asked, by);
  }
  const firsts = await graph.originalRoots(ever);
  for (const root of ever) check(`originalRoots of ${root}`, [...firsts.get(root)!], ledger.originals(root));
}

const moments = ({ ledger: { epochs }, one }: Live, count: number): number[] =>
  Array.from({ length: count }, () => one(epochs).ms + one([-1, 0, 1, 0, 500])).filter(
    (ms) => ms >= epochs[0].ms,
  );

/** An edit has happened from its very millisecond on. */
async function checkEdges({ graph, ledger: { edits }, check }: Live): Promise<void> {
  for (const { ms, before, after } of edits)
    for (const late of [-1, 0, 1]) {
      const is = await graph.isLatestRoots([...before, ...after], { timestamp: new Date(ms + late) });
      const expected = [...before.map(() => late < 0), ...after.map(() => late >= 0)];
      check(`isLatestRoots ${late} ms after the edit at ${ms}`, is, expected);
    }
}

async function checkState({ graph, server, ledger, check }: Live, ms: number): Promise<void> {
  const timestamp = new Date(ms),
    { roots } = ledger.at(ms),
    { ever } = ledger;
  check(`roots at ${ms}`, [...(await graph.roots(server.supervoxels, { timestamp }))], roots);
  check(
    `isLatestRoots at ${ms}`,
    await graph.isLatestRoots(ever, { timestamp }),
    ever.map((root) => roots.includes(root)),
  );
  const known = ever.filter((root) => ledger.madeIn(root).ms <= ms);
  check(
    `last moments at ${ms}`,
    (await graph.rootTimestamps(known, { timestamp, latest: true })).map(Number),
    known.map((root) => Math.min(ms, ledger.endOf(root) - 1)),
  );
}

async function checkDelta({ graph, ledger, check }: Live, ...both: [number, number]): Promise<void> {
  const [from, to] = both.sort((a, b) => a - b),
    [before, after] = [sorted(ledger.at(from).roots), sorted(ledger.at(to).roots)];
  const { oldRoots, newRoots } = await graph.deltaRoots({ from: new Date(from), to: new Date(to) });
  check(
    `deltaRoots ${from} to ${to}`,
    [[...oldRoots], [...newRoots]],
    [before.filter((root) => !after.includes(root)), after.filter((root) => !before.includes(root))],
  );
}

async function checkRelatives(
  { graph, ledger, check }: Live,
  ms: number,
  asked: readonly bigint[],
): Promise<void> {
  const timestamp = new Date(ms),
    found = await graph.latestRoots(asked, { timestamp });
  for (const root of asked)
    check(`latestRoots of ${root} at ${ms}`, [...found.get(root)!], ledger.related(root, ms));
  const newer = asked.filter((root) => ledger.madeIn(root).ms > ms),
    { past } = await graph.pastIdMapping(newer, { timestampPast: timestamp });
  for (const root of newer)
    check(
      `pastIdMapping of ${root} of ${newer.join()} at ${ms} has those of then`,
      ledger.related(root, ms).filter((id) => !past.get(root)!.includes(id)),
      [],
    );
}

async function checkVotes(
  { graph, ledger, check }: Live,
  ms: number,
  asked: readonly bigint[],
  by: 'supervoxels' | 'level2',
): Promise<void> {
  const suggested = await graph.suggestLatestRoots(asked, { timestamp: new Date(ms), by });
  for (const { root, suggestions } of suggested) {
    const then = ledger.madeIn(root),
      voters = ledger.ofRoot(root, then);
    const groups = by === 'level2' ? await byLayer2(graph, voters, then.ms) : voters.map((id) => [id]);
    const expected = new Map<bigint, number>();
    for (const group of groups)
      for (const id of group) {
        const now = ledger.rootOf(id, ledger.at(ms));
        expected.set(now, (expected.get(now) ?? 0) + 1 / group.length / groups.length);
      }
    const shown = (pairs: Iterable<[bigint, number]>): string[] =>
      Array.from(pairs, ([id, share]) => `${id} ${share.toFixed(6)}`).sort();
    check(
      `suggestLatestRoots of ${root} at ${ms} by ${by}`,
      shown(suggestions.map(({ root, confidence }) => [root, confidence])),
      shown(expected),
    );
  }
}

/** Supervoxels by the layer-2 node that they were of. */
async function byLayer2(graph: ChunkedGraph, voters: readonly bigint[], ms: number): Promise<bigint[][]> {
  const l2 = await graph.roots(voters, { stopLayer: 2, timestamp: new Date(ms) });
  return sorted(l2).map((node) => voters.filter((_id, k) => l2[k] === node));
}
