/** The report of a job, against the logs of the mocked servers over all its runs, and the truth of the world. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveWorld, type ServedWorld } from '../../mocks/world.ts';
import { factOf, faultsOf, rowsOf, textOf } from '../report/report-html.ts';
import { buildJobWorld, CREATED, ROWS, TABLE, truthOf } from './job-world.ts';
import { type CliResult, runCli } from './run-cli.ts';

const world = buildJobWorld(),
  folder = mkdtempSync(join(tmpdir(), 'job-report-')),
  file = (name: string): string => join(folder, name);
let served: ServedWorld;
beforeAll(async () => {
  served = await serveWorld(world);
  writeFileSync(file('points.csv'), TABLE);
});
beforeEach(() => {
  for (const { log, faults } of [world.graph, world.bucket]) log.requests.length = faults.length = 0;
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

const job = (
  step: string,
  argv: readonly string[],
  options: Parameters<typeof runCli>[1] = {},
): Promise<CliResult> => runCli(['job', step, ...argv, '--quiet'], options);
const plan = (name: string, flags: readonly string[] = ['--report']): string[] => [
  file('points.csv'),
  ...[
    '--volume',
    served.cloudPath,
    '--position',
    'pre_position',
    '--position',
    'post_position',
    '--task-points',
    '30',
  ],
  ...[
    '--timestamp',
    CREATED,
    '--job',
    file(`${name}.job`),
    '--out',
    file(`${name}.csv`),
    '--concurrency',
    '1',
    ...flags,
  ],
];
const pageOf = (name: string): string => readFileSync(join(file(`${name}.job`), 'report.html'), 'utf8');
const recordsOf = (name: string): string[] => readdirSync(join(file(`${name}.job`), 'runs'));
const isChunk = (path: string): boolean => /\/\d+-\d+_\d+-\d+_\d+-\d+$/.test(path);
const answeredChunks = (): number =>
  world.bucket.log.requests.filter(({ path, status }) => isChunk(path) && status === 200).length;
const rootRequests = (): number =>
  world.graph.log.requests.filter(({ path }) => path.endsWith('roots_binary')).length;
const readOf = (page: string): Map<string, string> =>
  new Map(rowsOf(page, 'What was read').map(([name, count]) => [name, count.replaceAll(',', '')]));

const cells = ROWS.flat();
/** The number of points of each status, and of each root. */
function truth(index: 1 | 2): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const cell of cells) {
    const value = truthOf(world, cell, CREATED).split(',')[index];
    if (value !== '' && value !== '0') counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}
const statusesOf = (page: string): Record<string, number> =>
  Object.fromEntries(rowsOf(page, 'Status of each point').map(([status, count]) => [status, Number(count)]));
const rootsOf = (page: string): Record<string, number> =>
  Object.fromEntries(
    rowsOf(page.split('Roots with the most points</h2>')[1], 'The ').map(([id, count]) => [
      id,
      Number(count),
    ]),
  );

describe('job --report', () => {
  test('covers what an interrupted run and the run after it did', async () => {
    const controller = new AbortController();
    world.bucket.faults.push({
      match: ({ path }) => isChunk(path) && answeredChunks() > 12 && (controller.abort(), true),
      stall: true,
    });
    const stopped = await job('run', plan('stopped'), { signal: controller.signal });
    world.bucket.faults.length = 0;
    expect(stopped.code).toBe(130);
    const first = pageOf('stopped');
    expect(faultsOf(first)).toEqual([]);
    expect(textOf(first)).toContain('The run was interrupted.');
    expect(Object.keys(truth(2))).toEqual(expect.arrayContaining(Object.keys(statusesOf(first))));
    expect(readOf(first).get('Chunks from the store')).toBe(String(answeredChunks()));

    const { code } = await job('resume', [file('stopped.job')]);
    expect(code).toBe(1);
    const page = pageOf('stopped');
    expect(faultsOf(page)).toEqual([]);
    expect(page).not.toContain('class="alert"');
    expect(rowsOf(page, 'Runs of this job').map(([, step, outcome]) => [step, outcome])).toEqual([
      ['run', 'interrupted'],
      ['resume', 'done'],
    ]);
    expect(readOf(page).get('Chunks from the store')).toBe(String(answeredChunks()));
    expect(readOf(page).get('Root requests')).toBe(String(rootRequests()));
    expect(statusesOf(page)).toEqual(truth(2));
    expect(rootsOf(page)).toEqual(truth(1));
    expect(factOf(page, 'Timestamp of the roots')).toBe(CREATED);
    const failures = readFileSync(join(file('stopped.job'), 'failures.csv'), 'utf8')
      .trim()
      .split('\n');
    expect(rowsOf(page, 'Points that need attention').map((row) => row.join(','))).toEqual(
      failures.slice(1, 21),
    );
  });

  test('covers shards, and is written by merge, which opens no volume', async () => {
    expect((await job('plan', plan('shards'))).code).toBe(0);
    expect(existsSync(join(file('shards.job'), 'report.html'))).toBe(false);
    for (const shard of ['0/2', '1/2'])
      expect((await job('run', ['--job', file('shards.job'), '--shard', shard])).code).toBe(0);
    expect(existsSync(join(file('shards.job'), 'report.html'))).toBe(false);
    expect((await job('merge', [file('shards.job')])).code).toBe(1);
    const page = pageOf('shards');
    expect(rowsOf(page, 'Runs of this job').map(([, step]) => step)).toEqual([
      'plan',
      'shard 0/2',
      'shard 1/2',
      'merge',
    ]);
    expect(readOf(page).get('Chunks from the store')).toBe(String(answeredChunks()));
    expect([statusesOf(page), rootsOf(page)]).toEqual([truth(2), truth(1)]);
    expect(factOf(page, 'Volume')).toMatch(/^segmentation of uint64; mip 0/);
  });

  test('says which tasks it knows only the answers of, and leaves nothing in a job without it', async () => {
    expect((await job('plan', plan('late', []))).code).toBe(0);
    expect((await job('run', ['--job', file('late.job'), '--shard', '0/2'])).code).toBe(0);
    expect(existsSync(join(file('late.job'), 'runs'))).toBe(false);
    expect((await job('resume', [file('late.job'), '--report'])).code).toBe(1);
    const page = pageOf('late'),
      [done, all] = [
        ...(/(\d+) of (\d+) tasks were done by runs that left no record/.exec(textOf(page)) ?? []),
      ]
        .slice(1)
        .map(Number);
    expect([done, all]).toEqual([Math.ceil(all / 2), readdirSync(join(file('late.job'), 'tasks')).length]);
    expect([statusesOf(page), rootsOf(page)]).toEqual([truth(2), truth(1)]);
    expect(readOf(page).get('Storage requests')).toBe(
      String(world.bucket.log.requests.filter(({ path }) => isChunk(path)).length),
    );
  });

  test('leaves out a damaged record, and says so', async () => {
    await job('plan', plan('damaged'));
    for (const shard of ['0/2', '1/2']) await job('run', ['--job', file('damaged.job'), '--shard', shard]);
    const [, second] = recordsOf('damaged').toSorted();
    writeFileSync(join(file('damaged.job'), 'runs', second), '{"format":1,"startMs":"<b>"}');
    expect((await job('merge', [file('damaged.job')])).code).toBe(1);
    const page = pageOf('damaged');
    expect(textOf(page)).toContain('1 records of runs cannot be read');
    expect(textOf(page)).toMatch(/tasks were done by runs that left no record/);
    expect(statusesOf(page)).toEqual(truth(2));
  });
});
