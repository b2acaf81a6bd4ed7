/** `update` where supervoxels were split: voxels are read again where rows have points, and no root is made up. */
import { describe, expect, test } from '@jest/globals';
import { lookUpIdTable } from '../../lib/jobs/id-table.ts';
import { createUpdateLookup, type UpdateJob, type UpdateVolume } from '../../lib/jobs/update-lookup.ts';
import { emptyStats, type Row } from '../../lib/points/result.ts';
import { PointStatus, statusText } from '../../lib/points/status.ts';

const NOW = new Date('2024-06-05T10:10:01.203Z'),
  /** Greater than 2^53, so that a double would round it. */
  OLD = 72127962782105601n,
  PARTS = [OLD + 100n, OLD + 101n],
  WHOLE = OLD + 7n,
  REPLACED = 288230376151712042n,
  ROOTS = [REPLACED + 1n, REPLACED + 2n],
  CURRENT = REPLACED + 3n;
const { ok, background, failed, staleSupervoxel } = PointStatus;

/** The supervoxel OLD was split at x = 10: PARTS, with ROOTS. WHOLE was not, and is under CURRENT. */
function splitVolume() {
  const requests: string[] = [];
  const rowsOf = (status: Uint8Array): (() => IterableIterator<Row & Record<string, never>>) =>
    function* () {
      for (const [index, code] of status.entries())
        yield {
          index,
          status: statusText(code),
          ...(code === failed && { error: new Error('no reply') }),
        } as Row & Record<string, never>;
    };
  const volume = {
    now: () => NOW,
    isLatest: async (roots: BigUint64Array) => Array.from(roots, (root) => root !== REPLACED),
    roots: async (ids: BigUint64Array) => {
      requests.push(`roots ${ids.join()}`);
      const status = Uint8Array.from(ids, (id) => (id === OLD ? staleSupervoxel : ok)),
        rootIds = BigUint64Array.from(ids, (id) => (id === OLD ? 0n : CURRENT));
      return { rootIds, status, stats: emptyStats(), timestamp: NOW, settled: true, rows: rowsOf(status) };
    },
    readPoints: async (points: Float64Array) => {
      requests.push(`points ${points.join()}`);
      const count = points.length / 3,
        supervoxelIds = new BigUint64Array(count),
        rootIds = new BigUint64Array(count),
        status = new Uint8Array(count).fill(ok);
      for (let k = 0; k < count; k++) {
        const x = points[3 * k];
        if (x === 99) status[k] = failed;
        else if (x === 50) status[k] = background;
        else {
          supervoxelIds[k] = PARTS[x < 10 ? 0 : 1];
          rootIds[k] = ROOTS[x < 10 ? 0 : 1];
        }
      }
      return { supervoxelIds, rootIds, status, rows: rowsOf(status) };
    },
  } as unknown as UpdateVolume;
  return { volume, requests };
}

async function update(csv: string, job: UpdateJob = {}) {
  const { volume, requests } = splitVolume(),
    warnings: string[] = [],
    chunks: string[] = [];
  const lookup = createUpdateLookup(volume, { ...job, warn: (message) => void warnings.push(message) });
  const source = (async function* () {
    yield new TextEncoder().encode(csv);
  })();
  const sink = {
    write: async (bytes: Uint8Array) => void chunks.push(new TextDecoder().decode(bytes)),
    finish: async () => undefined,
    abandon: async () => undefined,
  };
  const counts = await lookUpIdTable(lookup, source, sink, {
    format: 'csv',
    warn: (message) => void warnings.push(message),
  });
  return { text: chunks.join(''), counts, requests, warnings, changed: lookup.changed };
}

const HEADER = 'pt_x,pt_y,pt_z,supervoxel_id,root_id,status,note';
const TABLE = [
  HEADER,
  `5,1,1,${OLD},${REPLACED},ok,first part`,
  `15,1,1,${OLD},${REPLACED},suspect,second part`,
  `5,1,1,${WHOLE},${CURRENT},ok,not touched`,
  `7,1,1,${WHOLE},${REPLACED},ok,other root`,
  `,,,${OLD},${REPLACED},ok,no position`,
  `50,1,1,${OLD},${REPLACED},ok,background now`,
  `99,1,1,${OLD},${REPLACED},ok,cannot be read`,
  '',
].join('\n');

describe('update of supervoxels that were split', () => {
  test('reads their voxels again with positions, and leaves no old root without them', async () => {
    const { text, requests, warnings, counts, changed } = await update(TABLE, { positions: ['pt'] });
    expect(text.split('\n').slice(1, -1)).toEqual([
      `5,1,1,${PARTS[0]},${ROOTS[0]},ok,first part`,
      `15,1,1,${PARTS[1]},${ROOTS[1]},ok,second part`,
      `5,1,1,${WHOLE},${CURRENT},ok,not touched`,
      `7,1,1,${WHOLE},${CURRENT},ok,other root`,
      `,,,${OLD},,stale_supervoxel,no position`,
      `50,1,1,0,0,background,background now`,
      `99,1,1,${OLD},,failed,cannot be read`,
    ]);
    expect(requests).toEqual([
      `roots ${[OLD, OLD, WHOLE, OLD, OLD, OLD].join()}`,
      'points 5,1,1,15,1,1,50,1,1,99,1,1',
    ]);
    expect(warnings[0]).toMatch(/split in rows that have no position/);
    expect([changed, counts.statuses]).toEqual([6, { ok: 4, background: 1, failed: 1, stale_supervoxel: 1 }]);
  });

  test('says how to read them without positions, once', async () => {
    const { text, requests, warnings } = await update(TABLE);
    const rows = text.split('\n').slice(1, -1);
    expect(rows[0]).toBe(`5,1,1,${OLD},,stale_supervoxel,first part`);
    expect(rows[1]).toBe(`15,1,1,${OLD},,stale_supervoxel,second part`);
    expect(rows[2]).toBe(TABLE.split('\n')[3]);
    expect(requests).toHaveLength(1);
    expect(warnings).toEqual([expect.stringMatching(/supervoxels were split.*--position/)]);
  });

  test('wants one position for each column of supervoxels', async () => {
    await expect(update(TABLE, { positions: ['a', 'b'] })).rejects.toMatchObject({
      name: 'TableError',
      message: expect.stringContaining('2 positions for 1 columns'),
    });
  });
});
