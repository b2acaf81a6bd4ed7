/** The table of failures of a job. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerSecret } from '../../lib/base/secret-redaction.ts';
import type { Fault } from '../../mocks/faults.ts';
import { serveWorld, type ServedWorld } from '../../mocks/world.ts';
import { buildJobWorld, type Cell, CREATED, outputOf, ROWS, TABLE, truthOf } from './job-world.ts';
import { runCli, type CliResult } from './run-cli.ts';

const world = buildJobWorld(),
  folder = mkdtempSync(join(tmpdir(), 'job-failures-')),
  file = (name: string): string => join(folder, name);
let served: ServedWorld;
beforeAll(async () => {
  served = await serveWorld(world);
  writeFileSync(file('points.csv'), TABLE);
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

const run = (name: string, more: readonly string[] = []): Promise<CliResult> =>
  runCli([
    ...['job', 'run', file('points.csv'), '--job', file(name), '--out', file(`${name}.csv`)],
    ...['--volume', served.cloudPath, '--position', 'pre_position', '--position', 'post_position'],
    ...['--timestamp', '2024-03-01', '--task-points', '60', '--retries', '0', ...more],
  ]);

/** The chunk of x 16 to 31 and y 16 to 31 cannot be read. */
const LOST = '16-32_16-32_0-16',
  isLost = (cell: Cell): boolean =>
    typeof cell === 'object' && [cell[0], cell[1]].every((at) => at >= 16 && at < 32);

async function withFault<T>(faults: Fault[], fault: Fault, work: () => Promise<T>): Promise<T> {
  faults.push(fault);
  try {
    return await work();
  } finally {
    faults.length = 0;
  }
}

describe('failures.csv', () => {
  test('lists every point that needs attention, in the order of the rows', async () => {
    const fault = { match: new RegExp(LOST), status: 503, body: '"busy"' };
    const { code, stderr } = await withFault(world.bucket.faults, fault, () => run('lost'));
    expect(code).toBe(1);
    const expected: string[] = [];
    const output = outputOf((cell, row, side) => {
      const column = ['pre_position', 'post_position'][side];
      if (cell === 'soma')
        expected.push(`${row},${column},,invalid_point,the position is not three finite numbers`);
      if (!isLost(cell)) return truthOf(world, cell, '2024-03-01');
      expected.push(`${row},${column},,failed,`);
      return ',,failed';
    });
    expect(readFileSync(file('lost.csv'), 'utf8')).toBe(output);
    const [header, ...lines] = readFileSync(file('lost/failures.csv'), 'utf8').trimEnd().split('\n');
    expect(header).toBe('row,column,volume,status,reason');
    expect(lines.map((line) => line.replace(/failed,.*/, 'failed,'))).toEqual(expected);
    const [reason] = lines.filter((line) => line.includes('failed'));
    expect(reason).toContain(`/bucket/8_8_40/${LOST} `);
    expect(reason).toContain('503');
    expect(stderr).toContain(`the points that need attention are in ${file('lost/failures.csv')}`);
    expect(expected.length).toBeGreaterThan(20);
    const { stdout } = await runCli(['job', 'status', file('lost')]);
    expect(stdout).toContain(`failure table         ${file('lost/failures.csv')}\n`);
    expect(readdirSync(file('lost')).toSorted()).toEqual([
      ...['failures.csv', 'finished.json', 'manifest.json', 'plan.json', 'points', 'tasks'],
    ]);
  });

  test('names the volume, and hides secrets', async () => {
    const secret = 'sK3-example-of-a-token';
    registerSecret(secret);
    const body = JSON.stringify({ message: `no token ${secret}, "3"\u001b[2J` });
    const fault = { match: /roots_binary/, status: 500, body };
    const also = ['--also', `twin=${served.cloudPath}/`];
    const { code } = await withFault(world.graph.faults, fault, () => run('roots', also));
    expect(code).toBe(1);
    const text = readFileSync(file('roots/failures.csv'), 'utf8'),
      lines = text.split('\n').filter((line) => line.includes('root_failed'));
    const known = ROWS.flat().filter(
      (cell) => typeof cell === 'object' && truthOf(world, cell, CREATED).endsWith('ok'),
    );
    expect(lines.filter((line) => line.includes('_position,,')).length).toBe(known.length);
    expect(lines.filter((line) => line.includes('_position,twin,')).length).toBe(known.length);
    expect(text).not.toContain(secret);
    expect(text).not.toContain('\u001b');
    expect(lines[0]).toMatch(
      /^1,pre_position,,root_failed,"http:\/\/.*\/roots_binary answered 500: no token \*\*\*, ""3"" \[2J"$/,
    );
  });

  test('merge heeds --max-failures, and retry helps', async () => {
    writeFileSync(file('few.csv'), 'x,y,z\n20,20,5\n40,20,5\n');
    const argv = [
      ...['job', 'plan', file('few.csv'), '--job', file('few'), '--out', file('few-out.csv')],
      ...['--volume', served.cloudPath, '--quiet', '--max-failures', '0', '--retries', '0'],
    ];
    expect((await runCli(argv)).code).toBe(0);
    const fault = { match: new RegExp(LOST), status: 503 };
    const shard = ['job', 'run', '--job', file('few'), '--shard', '0/1'];
    expect((await withFault(world.bucket.faults, fault, () => runCli(shard))).code).toBe(0);
    const merged = await runCli(['job', 'merge', file('few')]);
    expect(merged).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('1 of 2 points need attention'),
    });
    expect(existsSync(file('few-out.csv'))).toBe(false);
    expect((await runCli(['job', 'retry', file('few'), '--quiet'])).code).toBe(0);
    expect(readFileSync(file('few-out.csv'), 'utf8').match(/,ok$/gm)).toHaveLength(2);
  });

  test('has only its header if nothing needs attention, and is not written before the output is', async () => {
    writeFileSync(file('good.csv'), 'x,y,z\n5,5,5\n');
    const argv = [
      ...['job', 'plan', file('good.csv'), '--job', file('good'), '--out', file('good-out.csv')],
      ...['--volume', served.cloudPath, '--quiet'],
    ];
    expect((await runCli(argv)).code).toBe(0);
    expect(existsSync(file('good/failures.csv'))).toBe(false);
    expect((await runCli(['job', 'resume', file('good')])).code).toBe(0);
    expect(readFileSync(file('good/failures.csv'), 'utf8')).toBe('row,column,volume,status,reason\n');
  });
});
