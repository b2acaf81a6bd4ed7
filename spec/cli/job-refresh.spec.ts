/** `job refresh`: the roots of a job at another timestamp, without a voxel. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { buildWorld, serveWorld, type ServedWorld } from '../../mocks/world.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { buildJobWorld, type Cell, outputOf, ROWS, TABLE, truthOf } from './job-world.ts';
import { runCli, type CliResult } from './run-cli.ts';

const world = buildJobWorld(),
  { bucket, graph } = world,
  folder = mkdtempSync(join(tmpdir(), 'job-refresh-')),
  file = (name: string): string => join(folder, name);
const EARLY = '2024-03-01T00:00:00.000Z',
  LATE = '2024-07-01T00:00:00.000Z';
let served: ServedWorld;
beforeAll(async () => {
  served = await serveWorld(world);
  writeFileSync(file('points.csv'), TABLE);
  const [a, b] = [world.supervoxelsOf(1), world.supervoxelsOf(2)];
  graph.merge([a[0], b[0]], { at: '2024-04-01' });
  graph.split({ edges: [[b[0], b[1]]] }, { at: '2024-06-01' });
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
async function run(name: string, more: readonly string[] = [], timestamp = EARLY): Promise<void> {
  const { code } = await runCli([
    ...['job', 'run', file('points.csv'), '--job', file(name), '--out', file(`${name}.csv`)],
    ...['--volume', served.cloudPath, '--position', 'pre_position', '--position', 'post_position'],
    ...['--timestamp', timestamp, '--task-points', '60', '--retries', '0', '--quiet', ...more],
  ]);
  expect(code).toBeLessThan(2);
}
const refresh = (name: string, more: readonly string[] = []): Promise<CliResult> =>
  job('refresh', name, ['--timestamp', LATE, '--quiet', ...more]);
const textOf = (name: string): string => readFileSync(file(name), 'utf8');

const at = (timestamp: string): string => outputOf((cell) => truthOf(world, cell, timestamp));
/** The table has points that cannot be read. */
const ATTENTION = { code: 1 };

/** The distinct supervoxels of the points whose root is not the same at both timestamps. */
function changedSupervoxels(): Set<bigint> {
  const changed = ROWS.flat().filter(
    (cell): cell is Exclude<Cell, string | undefined> =>
      typeof cell === 'object' && truthOf(world, cell, EARLY) !== truthOf(world, cell, LATE),
  );
  return new Set(changed.map((voxel) => world.supervoxelAt(voxel)));
}

describe('job refresh', () => {
  test('asks only for what has expired, and reads no voxel', async () => {
    await run('plain');
    expect(textOf('plain.csv')).toBe(at(EARLY));
    const points = readFileSync(file('plain/points'), 'hex');
    bucket.log.clear();
    graph.log.clear();
    const { code, stderr } = await job('refresh', 'plain', ['--timestamp', LATE, '--stats', file('s.json')]);
    expect(code).toBe(1);
    expect(textOf('plain.csv')).toBe(at(LATE));
    expect(at(LATE)).not.toBe(at(EARLY));
    expect(bucket.log.count()).toBe(0);
    const supervoxels = changedSupervoxels();
    expect(supervoxels.size).toBeGreaterThan(4);
    expect(graph.log.idsPerBatch().reduce((a, b) => a + b)).toBe(supervoxels.size);
    // A task asks for the roots that no task before it had.
    expect(graph.log.count('is_latest_roots')).toBeLessThanOrEqual(
      readdirSync(file('plain/tasks-1')).length + 2,
    );
    expect(stderr).toMatch(
      /^roots of 2024-03-01T00:00:00\.000Z are refreshed to 2024-07-01T00:00:00\.000Z: 2 of 16 roots have expired; (\d+) points were looked up, and \1 have another root; \d+ root requests, no voxel was read\n160 rows of 2 points: .*; roots as of 2024-07-01/m,
    );
    expect(JSON.parse(textOf('s.json'))).toMatchObject({
      timestamp: LATE,
      refreshed: { from: EARLY, to: LATE, roots: 16, expired: 2 },
    });
    expect(readdirSync(file('plain')).toSorted()).toEqual([
      ...['failures.csv', 'finished.json', 'manifest.json', 'plan.json', 'points', 'tasks-1'],
    ]);
    expect(readFileSync(file('plain/points'), 'hex')).toBe(points);
    const { stdout } = await job('status', 'plain');
    expect(stdout).toMatch(/^state +done$/m);
    expect(stdout).toMatch(/^roots as of +2024-07-01T00:00:00\.000Z$/m);
    expect(stdout).toMatch(/^refreshed from +2024-03-01T00:00:00\.000Z$/m);
    expect((await job('resume', 'plain')).stderr).toBe(`the job is done: ${file('plain.csv')}\n`);
  });

  test('writes to another file, goes back in time, and forth again', async () => {
    await run('other', [], LATE);
    graph.log.clear();
    bucket.log.clear();
    expect(await job('refresh', 'other', ['--timestamp', EARLY, '--out', file('early.csv')])).toMatchObject(
      ATTENTION,
    );
    expect([textOf('early.csv') === at(EARLY), textOf('other.csv') === at(LATE)]).toEqual([true, true]);
    expect([graph.log.count('is_latest_roots'), bucket.log.count()]).toEqual([0, 0]);
    const MIDDLE = '2024-05-01T00:00:00.000Z';
    expect(await job('refresh', 'other', ['--timestamp', MIDDLE])).toMatchObject(ATTENTION);
    expect([textOf('early.csv') === at(MIDDLE), textOf('other.csv') === at(LATE)]).toEqual([true, true]);
    // Before the graph, no supervoxel has a root; after that, all have one again.
    const none = await job('refresh', 'other', ['--timestamp', '2023-01-01', '--quiet']);
    expect(none).toMatchObject(ATTENTION);
    expect(textOf('early.csv')).toBe(at(EARLY).replaceAll(/(\d{9,}),\d+,ok/g, '$1,,no_root'));
    expect(await refresh('other')).toMatchObject(ATTENTION);
    expect(textOf('early.csv')).toBe(at(LATE));
    const status = JSON.parse((await job('status', 'other', ['--json'])).stdout) as object;
    expect(status).toMatchObject({ timestamps: [LATE], refreshedFrom: [LATE], output: file('early.csv') });
  });

  test('keeps the stop layer, and refreshes each graph', async () => {
    await run('layer', ['--stop-layer', '2', '--also', `twin=${served.cloudPath}/`]);
    bucket.log.clear();
    expect(await refresh('layer')).toMatchObject(ATTENTION);
    expect(bucket.log.count()).toBe(0);
    const twice = (cell: Cell): string => {
      const answer = truthOf(world, cell, LATE, 2);
      return `${answer},${answer}`;
    };
    const rows = (text: string): string[] => text.split('\n').slice(1);
    expect(rows(textOf('layer.csv'))).toEqual(rows(outputOf(twice)));
    expect(textOf('layer.csv')).toContain('post_twin_l2_id');
  });

  test('leaves points that failed to a retry, which uses the new timestamp', async () => {
    bucket.faults.push({ match: /16-32_0-16_0-16/, status: 503 });
    await run('failed');
    bucket.faults.length = 0;
    const isLost = (cell: Cell): boolean =>
      typeof cell === 'object' && cell[0] >= 16 && cell[0] < 32 && cell[1] < 16;
    expect(await refresh('failed')).toMatchObject(ATTENTION);
    expect(textOf('failed.csv')).toBe(
      outputOf((cell) => (isLost(cell) ? ',,failed' : truthOf(world, cell, LATE))),
    );
    expect(textOf('failed/failures.csv')).toContain('answered 503');
    expect(await job('retry', 'failed', ['--quiet'])).toMatchObject(ATTENTION);
    expect(textOf('failed.csv')).toBe(at(LATE));
  });

  test('reads the voxels of a supervoxel that was split, and no others', async () => {
    const splitting = buildWorld({
        labels: (x) => (x < 16 ? 1n : 2n),
        size: [32, 16, 16],
        chunkSize: [16, 16, 16],
        base_timestamp: '2024-01-01',
        supervoxelSplits: true,
      }),
      points: Vec3[] = [[2, 5, 5], [13, 5, 5], [20, 5, 5]]; // prettier-ignore
    await using mocks = await serveWorld(splitting);
    writeFileSync(file('v3-in.csv'), `x,y,z\n${points.map((point) => `${point.join()}\n`).join('')}`);
    const argv = ['--volume', mocks.cloudPath, '--timestamp', EARLY, '--quiet', '--max-failures', '0'];
    const paths = ['--job', file('v3'), '--out', file('v3.csv')];
    expect(await runCli(['job', 'run', file('v3-in.csv'), ...paths, ...argv])).toMatchObject({ code: 0 });
    splitting.splitSupervoxel([2, 5, 5], (x) => (x < 8 ? 0 : 1), { at: '2024-06-01' });
    const { code, stderr } = await job('refresh', 'v3', ['--timestamp', LATE]);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^2 failed points were looked up again: 2 have not failed again$/m),
    ]);
    expect(stderr).not.toContain('no voxel was read');
    const rows = textOf('v3.csv').trimEnd().split('\n').slice(1);
    expect(rows).toEqual(points.map((point) => `${point.join()},${truthOf(splitting, point, LATE)}`));
    expect(new Set(points.map(splitting.supervoxelAt)).size).toBe(3);
  });

  test('stops if a root request fails, and resume goes on at the same timestamp', async () => {
    await run('broken');
    graph.faults.push({ match: /roots_binary/, status: 500 });
    const stopped = await refresh('broken');
    expect(stopped).toMatchObject({ code: 2, stderr: expect.stringContaining('answered 500') });
    expect(textOf('broken.csv')).toBe(at(EARLY));
    const { stdout } = await job('status', 'broken');
    expect(stdout).toMatch(/^state +refreshing$/m);
    expect(stdout).toMatch(/^roots as of +2024-03-01/m);
    expect(stdout).toMatch(/^refresh to +2024-07-01T00:00:00\.000Z, in .*broken\.csv: \d+ of \d+ tasks$/m);
    expect(await job('retry', 'broken')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('a refresh of'),
    });
    graph.faults.length = 0;
    expect(await job('resume', 'broken', ['--quiet'])).toMatchObject(ATTENTION);
    expect(textOf('broken.csv')).toBe(at(LATE));
  });

  test('goes on after a kill at any moment, and never mixes timestamps', async () => {
    await run('killed');
    const states: string[] = [];
    const keep = (): boolean => {
      states.push(`killed-${states.length}`);
      cpSync(file('killed'), file(states.at(-1)!), { recursive: true });
      return false;
    };
    graph.faults.push({ match: keep, delayMs: 0 });
    expect(await refresh('killed')).toMatchObject(ATTENTION);
    graph.faults.length = 0;
    // Killed when the manifest had the new timestamp, and the output not; and when the output was written.
    for (const name of ['killed-written', 'killed-late']) {
      states.push(name);
      cpSync(file('killed'), file(name), { recursive: true });
      cpSync(file('killed-1/tasks'), file(`${name}/tasks`), { recursive: true });
      writeFileSync(
        file(`${name}/pending.json`),
        JSON.stringify({ step: 'refresh', generation: 1, timestamps: [LATE], output: file('killed.csv') }),
      );
    }
    rmSync(file('killed-written/finished.json'));
    const MIDDLE = '2024-05-01T00:00:00.000Z';
    const all = states.filter((name) => existsSync(file(`${name}/pending.json`))),
      begun = [...all.slice(0, 3), ...all.slice(-4)];
    expect(all.length).toBeGreaterThan(7);
    for (const [k, name] of begun.entries()) {
      rmSync(file(`${name}/job.lock`), { force: true });
      writeFileSync(file('killed.csv'), at(EARLY));
      // The same refresh, or another one: its answers must not be mixed with those of the one that was killed.
      const isOther = k % 3 === 2,
        timestamp = isOther ? MIDDLE : LATE;
      const result =
        k % 3 === 0
          ? job('resume', name, ['--quiet'])
          : job('refresh', name, ['--timestamp', timestamp, '--quiet']);
      expect(await result).toMatchObject(ATTENTION);
      expect(textOf('killed.csv') === at(timestamp)).toBe(true);
      const left = readdirSync(file(name)).filter((entry) => /^tasks|pending|draft/.test(entry));
      expect(left).toHaveLength(1);
    }
  });

  test('leaves the output as it was after an interrupt, and says how to go on', async () => {
    await run('stopped');
    const abort = new AbortController();
    const stop = ({ path }: { path: string }): boolean => {
      if (path.includes('roots_binary')) abort.abort();
      return false;
    };
    graph.faults.push({ match: stop, delayMs: 0 });
    expect(await job('refresh', 'stopped', ['--timestamp', LATE, '--quiet'], abort.signal)).toEqual({
      code: 130,
      stdout: '',
      stderr: `interrupted; graphene-points job resume ${file('stopped')} goes on\n`,
    });
    expect(textOf('stopped.csv')).toBe(at(EARLY));
    graph.faults.length = 0;
    expect(await job('refresh', 'stopped', ['--quiet'])).toMatchObject(ATTENTION);
    expect(textOf('stopped.csv')).toBe(at(LATE));
  });

  test('gives up if more points need attention than may', async () => {
    const invalid = TABLE.match(/soma/g)!.length;
    await run('limited', ['--max-failures', String(invalid)]);
    const refused = await job('refresh', 'limited', ['--timestamp', '2023-01-01', '--quiet']);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`the job stays as it was, with the roots of ${EARLY}\n`),
    });
    expect([textOf('limited.csv') === at(EARLY), readdirSync(file('limited')).includes('tasks-1')]).toEqual([
      true,
      false,
    ]);
    expect(await job('resume', 'limited')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('done'),
    });
    expect(await refresh('limited')).toMatchObject({ code: 0 });
    expect(textOf('limited.csv')).toBe(at(LATE));
  });

  test('needs all tasks: resume does those that are damaged', async () => {
    await run('damaged');
    const [task] = readdirSync(file('damaged/tasks'));
    writeFileSync(file(`damaged/tasks/${task}`), 'x');
    expect(await refresh('damaged')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /1 of \d+ tasks are not done: graphene-points job resume .* goes on; refresh it then/,
      ),
    });
    expect(await job('resume', 'damaged', ['--quiet'])).toMatchObject(ATTENTION);
    expect(textOf('damaged.csv')).toBe(at(EARLY));
    expect(await refresh('damaged')).toMatchObject(ATTENTION);
    expect(textOf('damaged.csv')).toBe(at(LATE));
  });

  test('refuses jobs without a common timestamp of roots', async () => {
    writeFileSync(file('timed-in.csv'), 'x,y,z,t\n5,5,5,2024-05-01\n');
    const argv = ['--volume', served.cloudPath, '--timestamp-column', 't', '--out', file('timed.csv')];
    await runCli(['job', 'run', file('timed-in.csv'), ...argv, '--job', file('timed')]);
    expect(await refresh('timed')).toMatchObject({
      code: 2,
      stderr:
        'error: the rows of this job have their own timestamps, in the column t: a refresh cannot replace them\n',
    });
    const values = ['--volume', loadFixture('img_raw_u8').folder, '--out', file('values.csv')];
    await runCli(['job', 'run', file('timed-in.csv'), ...values, '--job', file('values')]);
    expect(await refresh('values')).toMatchObject({
      code: 2,
      stderr: 'error: this job has looked up no roots: there is nothing to refresh\n',
    });
    expect(await refresh('values', ['--out', 'gs://b/o?token=x'])).toMatchObject({ code: 2 });
  });
});
