/** A report as a reader gets it, for its picture: written by the built command line in a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { serveWorld } from '../mocks/world.ts';
import { openWatched, type WatchedPage } from './browser.ts';
import { buildReportWorld, writeReportPoints } from './report-world.ts';

const POINTS = 20_000;
const MAIN = resolve('dist', 'lib', 'cli', 'main.js');

/** Makes a report of a look-up, opens it, and takes it away again. */
export async function showReport(
  browser: Browser,
  show: (opened: WatchedPage) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  try {
    await writeReport(folder);
    const opened = await openWatched(browser, `file://${folder}`, {
      viewport: { width: 1040, height: 1080 },
      colorScheme: 'light',
    });
    await opened.page.goto(`file://${join(folder, 'report.html')}`);
    await show(opened);
    await opened.page.context().close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function writeReport(folder: string): Promise<void> {
  const served = await serveWorld(buildReportWorld()),
    points = basename(writeReportPoints(folder, POINTS));
  try {
    const files = ['--points', points, '--out', 'roots.csv', '--report', 'report.html'],
      flags = ['--concurrency', '8', '--retries', '2', '--quiet'];
    const child = spawn(process.execPath, [MAIN, 'lookup', served.cloudPath, ...files, ...flags], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (data: Buffer) => (said += data.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 1)
      throw new Error(`the look-up ended with ${code}: one chunk is damaged, so 1 was expected. ${said}`);
  } finally {
    await served.close();
  }
}
