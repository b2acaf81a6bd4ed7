/**
 * Measures tables: the rows per second of a job whose look-ups take no time, and the time saved by reading
 * and writing while a look-up waits for a server.
 *
 *     npm run bench:tables
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { lookUpIdTable, type IdLookup } from '../lib/jobs/id-table.ts';
import type { LookupAnswers, PointLookup } from '../lib/jobs/point-lookup.ts';
import { lookUpPointTable } from '../lib/jobs/point-table.ts';
import { ChunkOrder } from '../lib/points/chunk-order.ts';
import { emptyStats } from '../lib/points/result.ts';
import { PointStatus } from '../lib/points/status.ts';
import { idAnswerColumn } from '../lib/tables/answers.ts';
import { seeded } from '../testing/random.ts';
import { machine } from './machine.ts';

const ROWS = 500_000,
  BATCH_ROWS = 100_000,
  RUNS = 5,
  WAIT_MS = 500;
const ID = 72127962782105601n;

type Row = readonly [x: number, y: number, z: number, id: bigint];
const KINDS: Record<string, { head: string; row: (row: Row, k: number) => string }> = {
  'CSV, x, y and z': { head: 'id,x,y,z,note\n', row: ([x, y, z], k) => `${k},${x},${y},${z},some text\n` },
  'CSV, positions': {
    head: 'id,pt_position,note\n',
    row: ([x, y, z], k) => `${k},"[${x}, ${y}, ${z}]",some text\n`,
  },
  'JSON Lines': { head: '', row: ([x, y, z], k) => `{"id":${k},"x":${x},"y":${y},"z":${z}}\n` },
  'CSV of IDs': { head: 'n,supervoxel_id,note\n', row: ([, , , id], k) => `${k},${id},some text\n` },
};

function tableOf(kind: string): Buffer {
  const random = seeded(7),
    { head, row } = KINDS[kind];
  const lines = Array.from({ length: ROWS }, (_, k) =>
    row([random.below(1e5), random.below(1e5), random.below(7000), ID + BigInt(random.below(2 ** 31))], k),
  );
  return Buffer.from(head + lines.join(''));
}

/** A grid of 64 x 64 x 32 chunks over the points. */
const ORDER = new ChunkOrder(
  {
    size: [2 ** 17, 2 ** 17, 2 ** 13],
    chunkSize: [2 ** 11, 2 ** 11, 2 ** 8],
    voxelOffset: [0, 0, 0],
    resolution: [8, 8, 40],
  },
  [8, 8, 40],
);

async function run(
  kind: string,
  table: Buffer,
  waitMs: number,
  isSorted = false,
): Promise<{ seconds: number; cpu: number }> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < table.length; at += 2 ** 20) {
      await wait(0); // as with a file, other work runs between reads
      yield table.subarray(at, at + 2 ** 20);
    }
  }
  let lines = 0;
  const sink = {
    async write(bytes: Uint8Array) {
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
    },
    finish: async () => undefined,
    abandon: async () => undefined,
  };
  const answer = async (count: number, columns: number): Promise<LookupAnswers> => {
    if (waitMs > 0) await wait(waitMs);
    const ids = new BigUint64Array(count).fill(ID);
    return {
      columns: Array.from({ length: columns }, () => idAnswerColumn(ids)),
      status: new Uint8Array(count).fill(PointStatus.ok),
      stats: emptyStats(),
      errors: () => [],
    };
  };
  const lookup: PointLookup = {
    kind: 'graph',
    channels: 1,
    lookUp: ({ points }) => answer(points.length / 3, 2),
  };
  const idLookup: IdLookup = {
    idsPerLookup: 1,
    listName: 'supervoxel_id',
    columns: () => ({ ids: ['supervoxel_id'], outputs: ['root_id', 'status'] }),
    lookUp: ({ ids: [ids] }) => answer(ids.length, 1),
  };
  const start = performance.now(),
    before = process.cpuUsage();
  const { rows, statuses } =
    kind === 'CSV of IDs'
      ? await lookUpIdTable(idLookup, source(), sink, { format: 'csv', batchRows: BATCH_ROWS })
      : await lookUpPointTable(lookup, source(), sink, {
          format: kind === 'JSON Lines' ? 'jsonl' : 'csv',
          positions: kind === 'CSV, positions' ? ['pt_position'] : undefined,
          batchRows: BATCH_ROWS,
          outOfCore: isSorted
            ? { order: ORDER, folder: tmpdir(), reopen: source, windowPoints: BATCH_ROWS }
            : undefined,
        });
  const seconds = (performance.now() - start) / 1000,
    { user, system } = process.cpuUsage(before);
  if (rows !== ROWS || statuses.ok !== ROWS || lines !== ROWS + (KINDS[kind].head === '' ? 0 : 1))
    throw new Error(`${kind}: wrote ${lines} lines for ${rows} rows`);
  return { seconds, cpu: (user + system) / 1e6 };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];

const rows: string[] = [];
const cases = Object.keys(KINDS).map((kind) => ({ kind, isSorted: false }));
for (const { kind, isSorted } of [...cases, { kind: 'CSV, x, y and z', isSorted: true }]) {
  const table = tableOf(kind);
  await run(kind, table, 0, isSorted); // warm
  const cpus: number[] = [],
    sequential: number[] = [],
    overlapped: number[] = [];
  for (let k = 0; k < RUNS; k++) {
    const withoutWaits = await run(kind, table, 0, isSorted);
    cpus.push(withoutWaits.cpu);
    sequential.push(withoutWaits.seconds + (ROWS / BATCH_ROWS) * (WAIT_MS / 1000));
    overlapped.push((await run(kind, table, WAIT_MS, isSorted)).seconds);
  }
  const cpu = median(cpus);
  rows.push(
    `| ${kind}${isSorted ? ', sorted by chunk on disk' : ''} | ${(table.length / 1e6).toFixed(0)} MB | ${cpu.toFixed(2)} s | ${(ROWS / cpu / 1e6).toFixed(2)} M | ${median(overlapped).toFixed(2)} s | ${median(sequential).toFixed(2)} s |`,
  );
  console.log(rows.at(-1));
}
const text = `# Tables

${machine()} ${ROWS.toLocaleString('en-US')} rows in batches of ${BATCH_ROWS.toLocaleString('en-US')}, medians of ${RUNS}. A look-up
takes no time, or waits ${WAIT_MS} ms per batch ("with waits"). The last column is the time that reading, looking up and writing would take one after the
other: the time without waits plus the waits. The machine may have had other work.

| table | size | CPU time | rows per second | with waits | one after the other |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
const results = new URL('results/', import.meta.url);
mkdirSync(results, { recursive: true });
writeFileSync(new URL('tables.md', results), text);
