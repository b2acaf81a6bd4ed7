/** `lookup --report`, against the logs of the mocked servers and the truth of their world. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveWorld, type ServedWorld } from '../../mocks/world.ts';
import { factOf, faultsOf, rowsOf, textOf } from '../report/report-html.ts';
import { buildJobWorld, CREATED, type Cell, SIZE, truthOf } from './job-world.ts';
import { type CliResult, runCli } from './run-cli.ts';

const world = buildJobWorld(),
  TOKEN = 'aVeryLongTokenThatNobodyMaySee';
const folder = mkdtempSync(join(tmpdir(), 'report-')),
  file = (name: string): string => join(folder, name);
/** Points of all kinds; every seventh is outside. */
const CELLS: readonly Cell[] = Array.from({ length: 500 }, (_, k) =>
  k % 50 === 3
    ? undefined
    : [(k * 5) % SIZE[0], (k * 3) % SIZE[1], k % 7 === 0 ? SIZE[2] : (k * 7) % SIZE[2]],
);
let served: ServedWorld;
beforeAll(async () => {
  served = await serveWorld(world);
  writeFileSync(
    file('points.csv'),
    `x,y,z\n${CELLS.map((cell) => (typeof cell === 'object' ? cell.join(',') : ',,')).join('\n')}\n`,
  );
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

const lookup = (flags: readonly string[], options: Parameters<typeof runCli>[1] = {}): Promise<CliResult> =>
  runCli(['lookup', served.cloudPath, '--points', file('points.csv'), '--timestamp', CREATED, ...flags], {
    env: { CAVE_TOKEN: TOKEN },
    ...options,
  });
const isChunk = (path: string): boolean => /\/\d+-\d+_\d+-\d+_\d+-\d+$/.test(path);
const number = (text: string): number => Number(text.replaceAll(',', ''));

describe('lookup --report', () => {
  test('tells what the servers were asked and what the table says', async () => {
    for (const { log } of [world.graph, world.bucket]) log.requests.length = 0;
    world.bucket.faults.push({
      match: /\/16-32_0-16_0-16$/,
      times: 2,
      status: 503,
      headers: { 'retry-after': '0' },
    });
    const { code, stderr } = await lookup([
      '--out',
      file('out.csv'),
      '--report',
      file('report.html'),
      '--stats',
      file('stats.json'),
    ]);
    expect([code, stderr.split('\n').filter((line) => !/^warning|^\d+ rows/.test(line))]).toEqual([0, ['']]);
    const page = readFileSync(file('report.html'), 'utf8');
    expect(faultsOf(page)).toEqual([]);
    expect(page).not.toContain(TOKEN);

    const rows = rowsOf(page, 'Status of each point').map(([status, count]) => [status, number(count)]);
    const truth = new Map<string, number>();
    for (const cell of CELLS) {
      const status = truthOf(world, cell, CREATED).split(',')[2];
      truth.set(status, (truth.get(status) ?? 0) + 1);
    }
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(truth));

    const chunks = world.bucket.log.requests.filter(({ path }) => isChunk(path)),
      read = new Map(rowsOf(page, 'What was read').map(([name, count, bytes]) => [name, [count, bytes]])),
      answered = chunks.filter(({ status }) => status === 200);
    expect(chunks.length).toBe(answered.length + 2);
    expect(read.get('Chunks from the store')![0]).toBe(String(answered.length));
    expect(read.get('Storage requests')![0]).toBe(String(chunks.length));
    const roots = world.graph.log.requests.filter(({ path }) => path.endsWith('roots_binary'));
    expect(number(read.get('Root requests')![0])).toBe(roots.length);
    const [host] = rowsOf(page, 'By host').filter(([, count]) => count !== '0');
    expect([host[0], number(host[1]), host[6]]).toEqual([new URL(served.url).host, answered.length, '2']);

    const biggest = new Map<string, number>();
    for (const cell of CELLS) {
      const [, root] = truthOf(world, cell, CREATED).split(',');
      if (root !== '' && root !== '0') biggest.set(root, (biggest.get(root) ?? 0) + 1);
    }
    const shown = rowsOf(page, 'The ').filter(([id]) => biggest.has(id));
    expect(shown).toHaveLength(0); // the first table of that name is of chunks
    const [, ...tables] = page.split('Roots with the most points');
    expect(rowsOf(tables.join(''), 'The ').map(([id, count]) => [id, Number(count)])).toEqual(
      [...biggest].toSorted(([a, n], [b, m]) => m - n || (BigInt(a) < BigInt(b) ? -1 : 1)).slice(0, 20),
    );
    expect(factOf(page, 'Timestamp of the roots')).toBe(CREATED);
    expect(factOf(page, 'Settled')).toMatch(/^yes/);
    expect(factOf(page, 'Cloud path')).toBe(served.cloudPath);
    const { statuses } = JSON.parse(readFileSync(file('stats.json'), 'utf8')) as { statuses: object };
    expect(Object.fromEntries(rows)).toEqual(statuses);
  });

  test('does not change the table, and costs no event when it is not asked for', async () => {
    await lookup(['--out', file('plain.csv'), '--quiet']);
    expect(readFileSync(file('plain.csv'), 'utf8')).toBe(readFileSync(file('out.csv'), 'utf8'));
  });

  test('says why a look-up failed, and lists faults by host and failed points', async () => {
    world.bucket.faults.push(
      { match: /\/16-32_0-16_0-16$/, status: 404, body: 'x' },
      { match: /\/0-16_0-16_0-16$/, status: 400 },
    );
    try {
      const { code } = await lookup([
        '--out',
        file('none.csv'),
        '--report',
        file('failed.html'),
        '--max-failures',
        '0',
        '--quiet',
      ]);
      expect([code, existsSync(file('none.csv'))]).toEqual([2, false]);
    } finally {
      world.bucket.faults.length = 0;
    }
    const page = readFileSync(file('failed.html'), 'utf8');
    expect(faultsOf(page)).toEqual([]);
    expect(textOf(page)).toContain('The run failed.');
    expect(rowsOf(page, 'Faults')[0]).toEqual([
      'HTTP_STATUS 400',
      expect.stringContaining(new URL(served.url).host),
      '1',
    ]);
    const failed = rowsOf(page, 'Points that need attention');
    expect(failed.length).toBeGreaterThan(0);
    for (const [x, y, z, , status, reason] of failed) {
      expect([x, y, z].every((at) => Number(at) < 16)).toBe(true);
      expect([status, reason]).toEqual(['failed', expect.stringContaining('400')]);
    }
  });

  test('is written when a volume cannot be opened, and when the look-up is interrupted', async () => {
    const { code } = await runCli([
      'lookup',
      `${served.url}/nothing`,
      '--points',
      file('points.csv'),
      '--out',
      file('no.csv'),
      '--report',
      file('unopened.html'),
    ]);
    expect(code).toBe(2);
    const unopened = readFileSync(file('unopened.html'), 'utf8');
    expect([faultsOf(unopened), factOf(unopened, 'Volume')]).toEqual([[], 'not opened']);

    const controller = new AbortController();
    world.bucket.faults.push({
      match: (request) => isChunk(request.path) && (controller.abort(), true),
      stall: true,
    });
    try {
      const stopped = await lookup(['--out', file('no.csv'), '--report', file('stopped.html')], {
        signal: controller.signal,
      });
      expect(stopped.code).toBe(130);
    } finally {
      world.bucket.faults.length = 0;
    }
    const page = readFileSync(file('stopped.html'), 'utf8');
    expect(textOf(page)).toContain('The run was interrupted.');
    expect(faultsOf(page)).toEqual([]);
    expect(existsSync(file('stopped.html.partial'))).toBe(false);
  });

  test('refuses a report that is another file of the run, and standard output', async () => {
    const same = await lookup(['--out', file('same.csv'), '--report', file('same.csv')]);
    expect([same.code, same.stderr]).toEqual([2, expect.stringContaining('--report')]);
    const input = await lookup(['--out', file('same.csv'), '--report', file('points.csv')]);
    expect([input.code, input.stderr]).toEqual([2, expect.stringContaining('would overwrite')]);
    const stream = await lookup(['--out', file('same.csv'), '--report', '-']);
    expect([stream.code, stream.stderr]).toEqual([2, 'error: a report is a file: name it with --report\n']);
  });
});
