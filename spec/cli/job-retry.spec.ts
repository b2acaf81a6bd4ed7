/** `job retry`: the failed points of a job are looked up again. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveWorld, type ServedWorld } from '../../mocks/world.ts';
import { buildJobWorld, type Cell, outputOf, ROWS, TABLE, truthOf } from './job-world.ts';
import { runCli, type CliResult } from './run-cli.ts';

const world = buildJobWorld(),
  { bucket, graph } = world,
  folder = mkdtempSync(join(tmpdir(), 'job-retry-')),
  file = (name: string): string => join(folder, name);
const PINNED = '2024-03-01T00:00:00.000Z';
let served: ServedWorld;
beforeAll(async () => {
  served = await serveWorld(world);
  writeFileSync(file('points.csv'), TABLE);
  // An edit after the timestamp of the jobs: none of their answers may have it.
  const [first] = world.supervoxelsOf(1),
    [second] = world.supervoxelsOf(2);
  graph.merge([first, second], { at: '2024-06-01' });
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  bucket.faults.length = graph.faults.length = 0;
});

const job = (
  step: string,
  name: string,
  argv: readonly string[] = [],
  signal?: AbortSignal,
): Promise<CliResult> => runCli(['job', step, file(name), ...argv], { signal });
const run = (name: string, more: readonly string[] = []): Promise<CliResult> =>
  runCli([
    ...['job', 'run', file('points.csv'), '--job', file(name), '--out', file(`${name}.csv`)],
    ...['--volume', served.cloudPath, '--position', 'pre_position', '--position', 'post_position'],
    ...['--timestamp', PINNED, '--task-points', '60', '--retries', '0', '--quiet', ...more],
  ]);
const textOf = (name: string): string => readFileSync(file(name), 'utf8');

/** Two chunks, which cannot be read. */
const LOST = /(16-32_16-32|48-64_0-16)_0-16/,
  isLost = (cell: Cell): boolean => {
    if (typeof cell !== 'object') return false;
    const [x, y] = cell.map((at) => Math.floor(at / 16));
    return (x === 1 && y === 1) || (x === 3 && y === 0);
  };
const WHOLE = outputOf((cell) => truthOf(world, cell, PINNED)),
  PARTIAL = outputOf((cell) => (isLost(cell) ? ',,failed' : truthOf(world, cell, PINNED)));
/** The table has points that cannot be read. */
const ATTENTION = 1;

async function runWithLoss(name: string): Promise<void> {
  bucket.faults.push({ match: LOST, status: 503 });
  expect(await run(name)).toMatchObject({ code: ATTENTION });
  expect(textOf(`${name}.csv`)).toBe(PARTIAL);
  bucket.faults.length = 0;
}
const tasksIn = (name: string): Map<string, string> =>
  new Map(
    readdirSync(file(`${name}/tasks`)).map((task) => [
      task,
      readFileSync(file(`${name}/tasks/${task}`), 'latin1'),
    ]),
  );

describe('job retry', () => {
  test('reads only what failed, at the timestamp of the job, and writes the output anew', async () => {
    await runWithLoss('lost');
    const before = tasksIn('lost');
    bucket.log.clear();
    graph.log.clear();
    const { code, stderr } = await job('retry', 'lost', ['--stats', file('stats.json')]);
    expect(code).toBe(ATTENTION);
    expect(textOf('lost.csv')).toBe(WHOLE);
    const chunks = bucket.log.matching(/\d-/).map(({ path }) => path.split('/').at(-1));
    expect([...new Set(chunks)].toSorted()).toEqual(['16-32_16-32_0-16', '48-64_0-16_0-16']);
    const lost = PARTIAL.match(/,failed/g)!.length;
    expect(stderr).toContain(
      `${lost} failed points were looked up again: ${lost} have not failed again\n160 rows of 2 points: `,
    );
    expect(stderr).not.toContain('looks up again those that failed');
    expect(JSON.parse(textOf('stats.json'))).toMatchObject({
      retried: { points: lost, answered: lost },
      failures: 0,
      timestamp: PINNED,
    });
    expect(textOf('lost/failures.csv')).not.toContain('failed');
    const after = tasksIn('lost'),
      changed = [...after].filter(([task, bytes]) => before.get(task) !== bytes);
    expect(after.size).toBe(before.size);
    expect(changed.length).toBeLessThan(after.size);
    const again = await job('retry', 'lost');
    expect(again).toMatchObject({
      code: ATTENTION,
      stderr: `the job is done, and no point has failed: ${file('lost.csv')}\n`,
    });
  });

  test('keeps points that fail again, with the new reason', async () => {
    await runWithLoss('again');
    bucket.faults.push({ match: /16-32_16-32/, status: 500 });
    const { code, stderr } = await job('retry', 'again');
    expect(code).toBe(ATTENTION);
    expect(stderr).toMatch(/^\d+ failed points were looked up again: \d+ have not failed again$/m);
    expect(stderr).toContain(
      `the points that need attention are in ${file('again/failures.csv')}; graphene-points job retry ${file('again')} looks up again those that failed\n`,
    );
    const failed = textOf('again/failures.csv')
      .split('\n')
      .filter((line) => line.includes(',failed,'));
    expect(failed.length).toBeGreaterThan(3);
    for (const line of failed) expect(line).toMatch(/16-32_16-32_0-16 .*answered 500/);
    bucket.faults.length = 0;
    expect(await job('retry', 'again', ['--quiet'])).toMatchObject({ code: ATTENTION });
    expect(textOf('again.csv')).toBe(WHOLE);
  });

  test('looks up points again whose root request failed', async () => {
    graph.faults.push({ match: /roots_binary/, status: 500 });
    await run('roots');
    expect(textOf('roots.csv')).toContain('root_failed');
    graph.faults.length = 0;
    expect(await job('retry', 'roots', ['--quiet'])).toMatchObject({ code: ATTENTION });
    expect(textOf('roots.csv')).toBe(WHOLE);
  });

  test('keeps the timestamp of each row', async () => {
    const times = ['2024-05-31', '2024-06-02', ''];
    const points = [...ROWS.flat().filter((cell) => typeof cell === 'object')].slice(0, 60);
    const rows = points.map((point, k) => `${point.join()},${times[k % 3]}`);
    writeFileSync(file('timed-in.csv'), `x,y,z,t\n${rows.map((row) => `${row}\n`).join('')}`);
    bucket.faults.push({ match: LOST, status: 503 });
    await runCli([
      ...['job', 'run', file('timed-in.csv'), '--job', file('timed'), '--out', file('timed.csv')],
      ...['--volume', served.cloudPath, '--timestamp-column', 't', '--timestamp', PINNED],
      ...['--task-points', '20', '--retries', '0', '--quiet'],
    ]);
    const outputOf = (answer: (cell: Cell, t: string) => string): string =>
      `x,y,z,t,supervoxel_id,root_id,status\n${points.map((point, k) => `${rows[k]},${answer(point, times[k % 3] || PINNED)}\n`).join('')}`;
    expect(textOf('timed.csv')).toBe(
      outputOf((cell, t) => (isLost(cell) ? ',,failed' : truthOf(world, cell, t))),
    );
    bucket.faults.length = 0;
    expect(await job('retry', 'timed', ['--quiet'])).toMatchObject({ code: 0 });
    expect(textOf('timed.csv')).toBe(outputOf((cell, t) => truthOf(world, cell, t)));
  });

  test('goes on with retry or resume after a kill at any moment', async () => {
    await runWithLoss('killed');
    const states: string[] = [];
    const keep = (): boolean => {
      states.push(`killed-${states.length}`);
      cpSync(file('killed'), file(states.at(-1)!), { recursive: true });
      return false;
    };
    for (const { faults } of [bucket, graph]) faults.push({ match: keep, delayMs: 0 });
    expect(await job('retry', 'killed', ['--quiet'])).toMatchObject({ code: ATTENTION });
    bucket.faults.length = graph.faults.length = 0;
    // Killed when the output was written.
    cpSync(file('killed'), file('killed-late'), { recursive: true });
    writeFileSync(file('killed-late/pending.json'), '{"step":"retry","attempt":1}\n');
    writeFileSync(file('killed-late/job.lock'), '');
    const begun = [...states.filter((name) => existsSync(file(`${name}/pending.json`))), 'killed-late'];
    expect(begun.length).toBeGreaterThan(4);
    expect(begun.length).toBeLessThan(states.length + 1);
    for (const [k, name] of begun.entries()) {
      // The run that was killed held a lock.
      rmSync(file(`${name}/job.lock`));
      writeFileSync(file('killed.csv'), PARTIAL);
      expect(textOf(`${name}/pending.json`)).toBe('{"step":"retry","attempt":1}\n');
      const { stdout } = await job('status', name);
      expect(stdout).toMatch(/^state +retrying$/m);
      expect(await job(k % 2 === 0 ? 'retry' : 'resume', name, ['--quiet'])).toMatchObject({
        code: ATTENTION,
      });
      expect(textOf('killed.csv')).toBe(WHOLE);
      expect(existsSync(file(`${name}/pending.json`))).toBe(false);
    }
  });

  test('leaves the output as it was after an interrupt, and says how to go on', async () => {
    await runWithLoss('stopped');
    const abort = new AbortController();
    const stop = ({ path }: { path: string }): boolean => {
      if (path.includes('48-64_0-16')) abort.abort();
      return false;
    };
    bucket.faults.push({ match: stop, delayMs: 0 });
    expect(await job('retry', 'stopped', ['--quiet'], abort.signal)).toEqual({
      code: 130,
      stdout: '',
      stderr: `interrupted; graphene-points job resume ${file('stopped')} goes on\n`,
    });
    expect(textOf('stopped.csv')).toBe(PARTIAL);
    bucket.faults.length = 0;
    expect(await job('resume', 'stopped', ['--quiet'])).toMatchObject({ code: ATTENTION });
    expect(textOf('stopped.csv')).toBe(WHOLE);
  });

  test('ends a job that had too many failures', async () => {
    bucket.faults.push({ match: LOST, status: 503 });
    const invalid = TABLE.match(/soma/g)!.length,
      limit = ['--max-failures', String(invalid)];
    const refused = await run('limited', limit);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain(
      `graphene-points job retry ${file('limited')} looks up again those that failed\n`,
    );
    expect(refused.stderr).toContain('than the');
    expect((await job('retry', 'limited', ['--quiet'])).code).toBe(2);
    expect(existsSync(file('limited.csv'))).toBe(false);
    bucket.faults.length = 0;
    expect((await job('retry', 'limited', ['--quiet'])).code).toBe(0);
    expect(textOf('limited.csv')).toBe(WHOLE);
  });
});
