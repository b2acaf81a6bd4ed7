/**
 * Reports in a browser: opened as files, without errors and without requests, in a light and in a dark page; what axe finds; printed on A4;
 * drawn at all.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { run } from '../lib/cli/run.ts';
import { serveWorld } from '../mocks/world.ts';
import { findAccessibilityFaults, measurePicture, openBrowser, openWatched } from './browser.ts';
import type { Part } from './part.ts';
import { buildReportWorld, writeReportPoints } from './report-world.ts';

const POINTS = 20_000;

/** Writes the report of a look-up and that of a job to a folder. @returns Their files. */
async function writeReports(folder: string): Promise<{ lookup: string; job: string }> {
  const served = await serveWorld(buildReportWorld()),
    points = writeReportPoints(folder, POINTS),
    lookup = join(folder, 'report.html'),
    job = join(folder, 'synapses.job');
  const start = async (argv: readonly string[]): Promise<void> => {
    const stdout = Object.assign(new PassThrough(), { isTTY: false }).resume(),
      stderr = Object.assign(new PassThrough(), { isTTY: false }).resume();
    const io = { stdin: new PassThrough(), stdout, stderr, env: {}, signal: new AbortController().signal };
    const code = await run(argv, io);
    if (code !== 1)
      throw new Error(`${argv.join(' ')} ended with ${code}: one chunk is damaged, so 1 was expected`);
  };
  try {
    const common = ['--concurrency', '8', '--retries', '2', '--quiet'];
    await start([
      'lookup',
      served.cloudPath,
      '--points',
      points,
      '--out',
      join(folder, 'roots.csv'),
      '--report',
      lookup,
      ...common,
    ]);
    await start([
      'job',
      'run',
      points,
      '--volume',
      served.cloudPath,
      '--task-points',
      '4000',
      '--job',
      job,
      '--out',
      join(folder, 'job.csv'),
      '--report',
      ...common,
    ]);
    await start(['job', 'retry', job, '--quiet']);
  } finally {
    await served.close();
  }
  return { lookup, job: join(job, 'report.html') };
}

export const report: Part = async ({ comparison }) => {
  const folder = mkdtempSync(join(tmpdir(), 'report-')),
    browser = await openBrowser();
  try {
    for (const [what, file] of Object.entries(await writeReports(folder)))
      for (const colorScheme of ['light', 'dark'] as const) {
        const name = `report of a ${what}, ${colorScheme}`;
        const { page, troubles } = await openWatched(browser, `file://${folder}`, {
          viewport: { width: 1120, height: 900 },
          colorScheme,
        });
        const asked: string[] = [];
        page.on('request', (request) => asked.push(request.url()));
        await page.goto(`file://${file}`);
        comparison.same(`${name}: errors, warnings and other hosts`, [], troubles);
        comparison.same(`${name}: requests`, [`file://${file}`], asked);
        comparison.same(`${name}: what axe finds`, [], await findAccessibilityFaults(page));
        comparison.same(
          `${name}: wider than its page`,
          false,
          await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth'),
        );
        for (const [part, element] of [
          ['page', page],
          ['views', page.locator('.views')],
        ] as const) {
          const { colours } = await measurePicture(browser, await element.screenshot());
          comparison.same(`${name}: its ${part} has more than 20 colours (${colours})`, true, colours > 20);
        }
        if (colorScheme === 'light') {
          const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true })).toString('latin1'),
            boxes = Array.from(pdf.matchAll(/\/MediaBox *\[0 0 ([\d.]+) ([\d.]+)\]/g), ([, width, height]) =>
              [Number(width), Number(height)].map(Math.round).join(' × '),
            );
          comparison.same(
            `${name}: sizes of its printed pages, in points`,
            ['595 × 842'],
            [...new Set(boxes)],
          );
          comparison.same(
            `${name}: 3 to 9 printed pages (${boxes.length})`,
            true,
            boxes.length >= 3 && boxes.length <= 9,
          );
        }
        comparison.same(`${name}: it is at most 700 kB`, true, statSync(file).size <= 700_000);
        await page.context().close();
      }
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
};
