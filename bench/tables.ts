/**
 * How quick are tables? Rows a second through a job whose questions cost nothing, and what is won by reading and writing while a server is
 * waited for.
 *
 *     npm run bench:tables
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { lookUpIdTable, type IdLookup } from '../lib/jobs/id-table.ts';
import type { LookupAnswers, PointLookup } from '../lib/jobs/point-lookup.ts';
import { lookUpPointTable } from '../lib/jobs/point-table.ts';
import { emptyStats } from '../lib/jobs/stats.ts';
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

async function run(kind: string, table: Buffer, waitMs: number): Promise<{ seconds: number; cpu: number }> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < table.length; at += 2 ** 20) {
      await wait(0); // as a file: other work gets its turn
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
  const question: IdLookup = {
    idsPerLookup: 1,
    listName: 'supervoxel_id',
    columns: () => ({ ids: ['supervoxel_id'], outputs: ['root_id', 'status'] }),
    lookUp: ({ ids: [ids] }) => answer(ids.length, 1),
  };
  const start = performance.now(),
    before = process.cpuUsage();
  const { rows, statuses } =
    kind === 'CSV of IDs'
      ? await lookUpIdTable(question, source(), sink, { format: 'csv', batchRows: BATCH_ROWS })
      : await lookUpPointTable(lookup, source(), sink, {
          format: kind === 'JSON Lines' ? 'jsonl' : 'csv',
          positions: kind === 'CSV, positions' ? ['pt_position'] : undefined,
          batchRows: BATCH_ROWS,
        });
  const seconds = (performance.now() - start) / 1000,
    { user, system } = process.cpuUsage(before);
  if (rows !== ROWS || statuses.ok !== ROWS || lines !== ROWS + (KINDS[kind].head === '' ? 0 : 1))
    throw new Error(`${kind}: ${lines} lines of ${rows} rows`);
  return { seconds, cpu: (user + system) / 1e6 };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];

const rows: string[] = [];
for (const kind of Object.keys(KINDS)) {
  const table = tableOf(kind);
  await run(kind, table, 0); // warm
  const cpus: number[] = [],
    apart: number[] = [],
    together: number[] = [];
  for (let k = 0; k < RUNS; k++) {
    const free = await run(kind, table, 0);
    cpus.push(free.cpu);
    apart.push(free.seconds + (ROWS / BATCH_ROWS) * (WAIT_MS / 1000));
    together.push((await run(kind, table, WAIT_MS)).seconds);
  }
  const cpu = median(cpus);
  rows.push(
    `| ${kind} | ${(table.length / 1e6).toFixed(0)} MB | ${cpu.toFixed(2)} s | ${(ROWS / cpu / 1e6).toFixed(2)} M | ${median(together).toFixed(2)} s | ${median(apart).toFixed(2)} s |`,
  );
  console.log(rows.at(-1));
}
const text = `# Tables

${machine()} ${ROWS.toLocaleString('en-US')} rows in batches of ${BATCH_ROWS.toLocaleString('en-US')}, medians of ${RUNS}; the questions
themselves cost nothing, or wait ${WAIT_MS} ms a batch. The last column is
what reading, asking and writing one after the other would take: the time without waits, and the waits. The machine may have had other work.

| table | size | CPU time | rows a second | with waits | one after the other |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
const results = new URL('results/', import.meta.url);
mkdirSync(results, { recursive: true });
writeFileSync(new URL('tables.md', results), text);
