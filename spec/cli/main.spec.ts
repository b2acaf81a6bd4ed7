/** The command as a process of its own: pipes and signals. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadFixture } from '../support/fixtures.ts';
import { firstChange } from './first-change.ts';

const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
const volume = loadFixture('img_raw_u8').folder;

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(() => rm(folder, { recursive: true }));

function start(argv: readonly string[]): ChildProcess & { told: () => string } {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...argv], { stdio: 'pipe' });
  let stderr = '';
  child.stderr.on('data', (part) => (stderr += String(part)));
  child.stdin.on('error', () => undefined); // it may leave before it has read everything
  return Object.assign(child, { told: () => stderr });
}

test('a reader that leaves ends it quietly', async () => {
  const child = start(['lookup', volume, '--points', '-']);
  child.stdout!.once('data', () => child.stdout!.destroy());
  child.stdin!.end(`x,y,z\n${'10,20,30\n'.repeat(500_000)}`);
  const [code] = (await once(child, 'close')) as [number];
  expect([code, child.told()]).toEqual([0, '']);
});

test('Ctrl-C ends it with 130, keeps FILE.partial and shows no stack', async () => {
  const created = firstChange(folder);
  const child = start(['lookup', volume, '--points', '-', '--out', join(folder, 'out.csv')]);
  child.stdin!.write('x,y,z\n1,2,3\n'); // and no end
  await created;
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number];
  expect([code, child.told(), await readdir(folder)]).toEqual([130, `interrupted; the rows so far are in ${join(folder, 'out.csv.partial')}\n`, ['out.csv.partial']]);
});
