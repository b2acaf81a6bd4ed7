/**
 * `npm run screenshots [-- FOLDER]`: writes the pictures in docs and README into docs/images or another folder: the
 * explorer with the demo's volume, and the report of a look-up. Each picture is checked: its size, and that it is not blank.
 */
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEMO_BEFORE, serveDemo } from 'graphene-points/mocks';
import { png } from 'icodec/node';
import type { Browser } from 'playwright-core';
import { createService } from '../lib/serve/create-service.ts';
import { measurePicture, openBrowser, openWatched } from './browser.ts';
import { lookUp, openExplorer, pasteText } from './explorer-page.ts';
import { showReport } from './report-picture.ts';
import { seeded } from '../testing/random.ts';

const MOST_BYTES = 200_000;
const LEAST_COLOURS = 200;
const folder = process.argv[2] ?? join('docs', 'images');
mkdirSync(folder, { recursive: true });

/** Points of all labels of the demo's volume. */
const demoPoints = (count: number): string => {
  const random = seeded(3);
  const lines = Array.from(
    { length: count },
    (_, k) => `synapse-${k + 1},${64 + random.below(122)},${32 + random.below(111)},${random.below(50)}`,
  );
  return `id,x,y,z\n${lines.join('\n')}\n`;
};

interface Shot {
  name: string;
  colorScheme: 'light' | 'dark';
  width: number;
  height: number;
  points: string;
  select?: boolean;
}

const SHOTS: readonly Shot[] = [
  { name: 'explorer', colorScheme: 'light', width: 1280, height: 840, points: demoPoints(600), select: true },
  { name: 'explorer-dark', colorScheme: 'dark', width: 1280, height: 840, points: demoPoints(600) },
  {
    name: 'explorer-unit',
    colorScheme: 'light',
    width: 860,
    height: 780,
    points: 'x,y,z\n920,592,1160\n576,416,1160\n1328,344,1360\n536,1008,880\n',
  },
];

async function take(browser: Browser, origin: string, shot: Shot): Promise<void> {
  const { width, height, colorScheme, name } = shot;
  const { page, troubles } = await openWatched(browser, origin, { colorScheme, viewport: { width, height } });
  await openExplorer(page, origin);
  await pasteText(page, shot.points);
  if (name !== 'explorer-unit') {
    await page.selectOption('#other', 'date');
    await page.fill('#other-date', DEMO_BEFORE.replace('Z', ''));
    await lookUp(page);
    if (shot.select) {
      await page.click('.tabulator-row:nth-child(4) .row-button');
      await page.waitForSelector('.tabulator-row.is-selected');
    }
    await page.waitForTimeout(1500);
  }
  await page.evaluate('scrollTo(0, 0)');
  await keep(browser, name, await page.screenshot({ animations: 'disabled' }), troubles);
  await page.context().close();
}

/** Checks a picture, and writes it. */
async function keep(
  browser: Browser,
  name: string,
  taken: Buffer,
  troubles: readonly string[],
): Promise<void> {
  const path = join(folder, `${name}.png`),
    { width, height, colours } = await measurePicture(browser, taken),
    bytes = await withFewColours(taken),
    { length } = bytes;
  if (length > MOST_BYTES) throw new Error(`${path} has ${length} bytes, more than ${MOST_BYTES}`);
  if (colours < LEAST_COLOURS) throw new Error(`${path} has ${colours} colours: it is blank`);
  if (troubles.length > 0) throw new Error(`${path}: ${troubles.join('; ')}`);
  await writeFile(path, bytes);
  console.log(`${path}: ${width} x ${height}, ${Math.round(length / 1024)} kB, ${colours} colours`);
}

/** Writes a picture with at most 256 colours: a third of the bytes. */
async function withFewColours(bytes: Uint8Array): Promise<Uint8Array> {
  await png.loadDecoder();
  await png.loadEncoder();
  return png.encode(png.decode(bytes), { quantize: true, colors: 256 });
}

const demo = await serveDemo();
const service = await createService({
  volumes: [{ name: 'demo', path: demo.cloudPath }],
  open: { token: null },
  port: 0,
});
const browser = await openBrowser();
try {
  for (const shot of SHOTS) await take(browser, service.url, shot);
  await showReport(browser, async ({ page, troubles }) =>
    keep(browser, 'report', await page.screenshot(), troubles),
  );
} finally {
  await browser.close();
  await service.close();
  await demo.close();
}
