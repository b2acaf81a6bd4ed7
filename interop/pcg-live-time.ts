/** Checks roots and their histories at any timestamp against the ledger. */
import type { ChunkedGraph } from '../lib/index.ts';
import type { LiveContext } from './pcg-ledger.ts';
import { sorted } from './pcg-server.ts';

export async function checkTime(live: LiveContext): Promise<void> {
  const { graph, ledger, check, pick } = live,
    { allRoots, epochs } = ledger;
  check(
    'rootTimestamps',
    (await graph.rootTimestamps(allRoots)).map(Number),
    allRoots.map((root) => ledger.createdIn(root).ms),
  );
  await checkEdges(live);
  for (const ms of [...epochs.map(({ ms }) => ms), ...randomTimesMs(live, 15)]) {
    const roots = Array.from({ length: 6 }, () => pick(allRoots));
    await checkState(live, ms);
    await checkDelta(live, ms, pick(randomTimesMs(live, 20)));
    await checkRelatives(live, ms, roots);
    for (const by of ['supervoxels', 'level2'] as const) await checkVotes(live, ms, roots, by);
  }
  const firsts = await graph.originalRoots(allRoots);
  for (const root of allRoots)
    check(`originalRoots of ${root}`, [...firsts.get(root)!], ledger.originals(root));
}

const randomTimesMs = ({ ledger: { epochs }, pick }: LiveContext, count: number): number[] =>
  Array.from({ length: count }, () => pick(epochs).ms + pick([-1, 0, 1, 0, 500])).filter(
    (ms) => ms >= epochs[0].ms,
  );

/** Checks that an edit is visible from its own millisecond on. */
async function checkEdges({ graph, ledger: { edits }, check }: LiveContext): Promise<void> {
  for (const { ms, before, after } of edits)
    for (const offsetMs of [-1, 0, 1]) {
      const is = await graph.isLatestRoots([...before, ...after], { timestamp: new Date(ms + offsetMs) });
      const expected = [...before.map(() => offsetMs < 0), ...after.map(() => offsetMs >= 0)];
      check(`isLatestRoots ${offsetMs} ms after the edit at ${ms}`, is, expected);
    }
}

async function checkState({ graph, server, ledger, check }: LiveContext, ms: number): Promise<void> {
  const timestamp = new Date(ms),
    { roots } = ledger.at(ms),
    { allRoots } = ledger;
  check(`roots at ${ms}`, [...(await graph.roots(server.supervoxels, { timestamp }))], roots);
  check(
    `isLatestRoots at ${ms}`,
    await graph.isLatestRoots(allRoots, { timestamp }),
    allRoots.map((root) => roots.includes(root)),
  );
  const known = allRoots.filter((root) => ledger.createdIn(root).ms <= ms);
  check(
    `last timestamps at ${ms}`,
    (await graph.rootTimestamps(known, { timestamp, latest: true })).map(Number),
    known.map((root) => Math.min(ms, ledger.replacedMs(root) - 1)),
  );
}

async function checkDelta({ graph, ledger, check }: LiveContext, ...both: [number, number]): Promise<void> {
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
  { graph, ledger, check }: LiveContext,
  ms: number,
  roots: readonly bigint[],
): Promise<void> {
  const timestamp = new Date(ms),
    found = await graph.latestRoots(roots, { timestamp });
  for (const root of roots)
    check(`latestRoots of ${root} at ${ms}`, [...found.get(root)!], ledger.related(root, ms));
  const newer = roots.filter((root) => ledger.createdIn(root).ms > ms),
    { past } = await graph.pastIdMapping(newer, { timestampPast: timestamp });
  for (const root of newer)
    check(
      `pastIdMapping of ${root} of ${newer.join()} at ${ms} includes all roots of that time`,
      ledger.related(root, ms).filter((id) => !past.get(root)!.includes(id)),
      [],
    );
}

async function checkVotes(
  { graph, ledger, check }: LiveContext,
  ms: number,
  roots: readonly bigint[],
  by: 'supervoxels' | 'level2',
): Promise<void> {
  const suggested = await graph.suggestLatestRoots(roots, { timestamp: new Date(ms), by });
  for (const { root, suggestions } of suggested) {
    const then = ledger.createdIn(root),
      voters = ledger.supervoxelsOf(root, then);
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

/** Groups supervoxels by their layer-2 nodes at a timestamp. */
async function byLayer2(graph: ChunkedGraph, voters: readonly bigint[], ms: number): Promise<bigint[][]> {
  const l2 = await graph.roots(voters, { stopLayer: 2, timestamp: new Date(ms) });
  return sorted(l2).map((node) => voters.filter((_id, k) => l2[k] === node));
}
