/** Points without a valid root are read once more, and only they. */
import { describe, expect, test } from '@jest/globals';
import { RootOutcome, type RootsAnswer } from '../../lib/chunkedgraph/roots/root-source.ts';
import { rereadPoints } from '../../lib/graphene/reread-points.ts';
import type { VersionedVoxels, VoxelVersion } from '../../lib/graphene/versioned-voxels.ts';
import { toPointSource, type PointSource } from '../../lib/points/point-input.ts';
import { emptyStats } from '../../lib/points/result.ts';
import { PointStatus } from '../../lib/points/status.ts';

const { ok, noRoot, staleSupervoxel, background, failed } = PointStatus;
/** Greater than 2^53, so that a double would round it. */
const ID = (1n << 56n) + 1n,
  ROOT = (4n << 56n) + 1n;

/** Answers for three points: the label is ID + x; statuses at first, and what is found again. */
function setUp(
  first: number[],
  {
    newest = 2,
    again = [ok, ok, ok],
    outcome = RootOutcome.ok,
  }: { newest?: number; again?: number[]; outcome?: number } = {},
) {
  const read: number[][] = [],
    lookedUp: bigint[][] = [];
  const versionOf = (generation: number): VoxelVersion => ({
    generation,
    reader: {
      read: async (source: PointSource) => {
        const xyz = new Float64Array(3 * source.count);
        source.read(0, xyz);
        const xs = Array.from({ length: source.count }, (_, k) => xyz[3 * k]);
        read.push(xs);
        return {
          values: BigUint64Array.from(xs, (x) => ID + BigInt(100 * generation + x)),
          status: Uint8Array.from(xs, (x) => again[x]),
          stats: { ...emptyStats(), requests: 2, bytes: 10 },
        };
      },
    } as unknown as VoxelVersion['reader'],
  });
  const opened = versionOf(1),
    current = newest === 1 ? opened : versionOf(newest);
  const answers = {
    points: toPointSource([0, 1, 2].map((x) => [x, 0, 0])),
    status: Uint8Array.from(first),
    supervoxelIds: BigUint64Array.of(ID, ID, ID),
    rootIds: BigUint64Array.from(first, (code) => (code === ok ? ROOT : 0n)),
    snappedNm: undefined,
    stats: emptyStats(),
  };
  const run = (isPinned = false) =>
    rereadPoints(answers, opened, {
      voxels: { isPinned, current: async () => current } as unknown as VersionedVoxels,
      reading: { mip: 0 },
      lookUp: async (ids) => {
        lookedUp.push([...ids]);
        return {
          rootIds: BigUint64Array.from(ids, (id) => ROOT + (id - ID)),
          outcomes: new Uint8Array(ids.length).fill(outcome),
          requests: 1,
        } as unknown as RootsAnswer;
      },
    });
  return { answers, run, read, lookedUp, opened, current };
}

describe('points without a valid root', () => {
  test('are read from the newest version, and get its supervoxels and roots', async () => {
    const { answers, run, read, current } = setUp([staleSupervoxel, ok, noRoot]);
    expect(await run()).toBe(current);
    expect(read).toEqual([[0, 2]]);
    expect([...answers.status]).toEqual([ok, ok, ok]);
    expect([...answers.supervoxelIds]).toEqual([ID + 200n, ID, ID + 202n]);
    expect([...answers.rootIds]).toEqual([ROOT + 200n, ROOT, ROOT + 202n]);
    expect(answers.stats).toMatchObject({ requests: 2, bytes: 10, rootRequests: 1 });
  });

  test('are read again in the same version only where there was no root: the row may have been late', async () => {
    const { answers, run, read } = setUp([staleSupervoxel, ok, noRoot], { newest: 1 });
    await run();
    expect(read).toEqual([[2]]);
    expect([...answers.status]).toEqual([staleSupervoxel, ok, ok]);
    expect(answers.rootIds[2]).toBe(ROOT + 102n);
  });

  test('keep their first answers when they cannot be read, or their roots fail', async () => {
    for (const how of [{ again: [failed, ok, failed] }, { outcome: RootOutcome.failed }]) {
      const { answers, run } = setUp([staleSupervoxel, ok, noRoot], how);
      await run();
      expect([...answers.status]).toEqual([staleSupervoxel, ok, noRoot]);
      expect([...answers.rootIds]).toEqual([0n, ROOT, 0n]);
    }
  });

  test('stay as they are in a version that the caller chose', async () => {
    const { run, read, opened } = setUp([staleSupervoxel, noRoot, ok]);
    expect(await run(true)).toBe(opened);
    expect(read).toEqual([]);
  });

  test('cost nothing where all have one', async () => {
    const { run, read, lookedUp, opened } = setUp([ok, background, ok]);
    expect(await run()).toBe(opened);
    expect([read, lookedUp]).toEqual([[], []]);
  });
});
