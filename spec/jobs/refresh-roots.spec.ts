import { describe, expect, test } from '@jest/globals';
import { RootRefresh, type RefreshVolume, type RootColumns } from '../../lib/jobs/refresh-roots.ts';
import { emptyStats, type RootsResult } from '../../lib/points/result.ts';
import { PointStatus, type PointStatusName } from '../../lib/points/status.ts';
import { GraphError } from '../../lib/base/errors.ts';

const FROM = new Date('2024-01-01'),
  TO = new Date('2024-02-01'),
  BIG = 2n ** 60n;

/** Roots from BIG + 100 on have expired. The status of a supervoxel follows from its last digit. */
const CODES: Record<string, PointStatusName> = { 7: 'noRoot', 8: 'staleSupervoxel', 9: 'rootFailed' };
interface Asked {
  roots: bigint[];
  supervoxels: bigint[];
}
function fakeVolume(asked: Asked, isLatestFails = false): RefreshVolume {
  return {
    isLatest: async (roots) => {
      if (isLatestFails) throw new GraphError('BAD_REPLY', 'no list', 'https://pcg', 200);
      asked.roots.push(...roots);
      return Array.from(roots, (root) => root < BIG + 100n);
    },
    roots: async (ids, { timestamp }) => {
      asked.supervoxels.push(...ids);
      const names = Array.from(ids, (id) => CODES[String(id).at(-1)!] ?? 'ok'),
        status = Uint8Array.from(names, (name) => PointStatus[name]);
      return {
        rootIds: BigUint64Array.from(ids, (id, k) => (names[k] === 'ok' ? id + BIG + 1000n : 0n)),
        status,
        timestamp,
        settled: true,
        stats: { ...emptyStats(), rootRequests: 1 },
        *rows() {
          for (const [index, name] of names.entries())
            yield {
              index,
              status: name,
              error: name === 'rootFailed' ? new Error('the server is away') : undefined,
            };
        },
      } as RootsResult;
    },
  };
}

const columnsOf = (rows: readonly (readonly [PointStatusName, bigint, bigint])[]): RootColumns => ({
  status: Uint8Array.from(rows, ([name]) => PointStatus[name]),
  supervoxelIds: BigUint64Array.from(rows, ([, supervoxel]) => supervoxel),
  rootIds: BigUint64Array.from(rows, ([, , root]) => root),
});

describe('RootRefresh', () => {
  /** Before: status, supervoxel, root. After: status, root. */
  const CASES: [PointStatusName, bigint, bigint, PointStatusName, bigint][] = [
    ['ok', 11n, BIG + 1n, 'ok', BIG + 1n],
    ['ok', 12n, BIG + 100n, 'ok', BIG + 1012n],
    ['ok', 17n, BIG + 101n, 'noRoot', 0n],
    ['ok', 18n, BIG + 101n, 'staleSupervoxel', 0n],
    ['suspect', 21n, BIG + 1n, 'suspect', BIG + 1n],
    ['suspect', 22n, BIG + 100n, 'suspect', BIG + 1022n],
    ['suspect', 23n, 0n, 'suspect', BIG + 1023n],
    ['suspect', 27n, BIG + 100n, 'suspect', 0n],
    ['suspect', 28n, BIG + 100n, 'staleSupervoxel', 0n],
    ['noRoot', 31n, 0n, 'ok', BIG + 1031n],
    ['staleSupervoxel', 32n, 0n, 'ok', BIG + 1032n],
    ['staleSupervoxel', 38n, 0n, 'staleSupervoxel', 0n],
    ['background', 0n, 0n, 'background', 0n],
    ['outOfBounds', 0n, 0n, 'outOfBounds', 0n],
    ['failed', 0n, 0n, 'failed', 0n],
    ['rootFailed', 41n, 0n, 'rootFailed', 0n],
    ['rootFailed', 49n, 0n, 'rootFailed', 0n],
  ];

  test('keeps current roots, and looks up the others', async () => {
    const asked: Asked = { roots: [], supervoxels: [] },
      refresh = new RootRefresh(fakeVolume(asked), { from: FROM, to: TO }),
      columns = columnsOf(CASES.map(([status, supervoxel, root]) => [status, supervoxel, root]));
    await refresh.refresh(columns, undefined);
    for (const [k, [, , , status, root]] of CASES.entries())
      expect([columns.status[k], columns.rootIds[k]]).toEqual([PointStatus[status], root]);
    expect(asked.roots).toEqual([BIG + 1n, BIG + 100n, BIG + 101n]);
    expect(asked.supervoxels).toEqual([12n, 17n, 18n, 22n, 23n, 27n, 28n, 31n, 32n, 38n]);
    expect(refresh.counts).toEqual({ roots: 3, expired: 2, asked: 10, changed: 9, rootRequests: 2 });
    // The next task asks only about roots that are new.
    await refresh.refresh(
      columnsOf([
        ['ok', 11n, BIG + 1n],
        ['ok', 13n, BIG + 2n],
        ['ok', 12n, BIG + 100n],
      ]),
      undefined,
    );
    expect(asked.roots.slice(3)).toEqual([BIG + 2n]);
    expect(asked.supervoxels.slice(10)).toEqual([12n]);
  });

  test.each([
    ['before the earlier one', { from: TO, to: FROM }, false],
    ['of a lower layer', { from: FROM, to: TO, stopLayer: 3 }, false],
    ['whose check fails', { from: FROM, to: TO }, true],
  ])('looks up all supervoxels at a timestamp %s', async (_, span, isLatestFails) => {
    const asked: Asked = { roots: [], supervoxels: [] },
      columns = columnsOf([
        ['ok', 11n, BIG + 1n],
        ['background', 0n, 0n],
        ['noRoot', 31n, 0n],
      ]);
    await new RootRefresh(fakeVolume(asked, isLatestFails), span).refresh(columns, undefined);
    expect(asked).toEqual({ roots: [], supervoxels: [11n, 31n] });
    expect([...columns.rootIds]).toEqual([BIG + 1011n, 0n, BIG + 1031n]);
  });

  test('stops with the error of a root request that failed', async () => {
    const columns = columnsOf([
      ['ok', 12n, BIG + 100n],
      ['ok', 19n, BIG + 100n],
    ]);
    const refresh = new RootRefresh(fakeVolume({ roots: [], supervoxels: [] }), { from: FROM, to: TO });
    await expect(refresh.refresh(columns, undefined)).rejects.toThrow('the server is away');
  });
});
