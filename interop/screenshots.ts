/**
 * `npm run screenshots [-- FOLDER]`: writes the pictures of the explorer in docs and README, from the demo's volume,
 * into docs/images or another folder. Each picture is checked: its size, and that it is not blank.
 */
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEMO_BEFORE, serveDemo } from 'graphene-points/mocks';
import { png } from 'icodec/node';
import type { Browser } from 'playwright-core';
import { createService } from '../lib/serve/create-service.ts';
import { openBrowser, openWatched } from './browser.ts';
import { lookUp, openExplorer, pasteText } from './explorer-page.ts';
import { seeded } from '../testing/random.ts';

const MOST_BYTES = 200_000;
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
  const path = join(folder, `${name}.png`);
  await page.evaluate('scrollTo(0, 0)');
  const taken = await page.screenshot({ animations: 'disabled' }),
    colours = await countColours(browser, taken),
    bytes = await withFewColours(taken),
    { length } = bytes;
  if (length > MOST_BYTES) throw new Error(`${path} has ${length} bytes, more than ${MOST_BYTES}`);
  if (colours < 200) throw new Error(`${path} has ${colours} colours: it is blank`);
  if (troubles.length > 0) throw new Error(`${path}: ${troubles.join('; ')}`);
  await writeFile(path, bytes);
  console.log(`${path}: ${width} x ${height}, ${Math.round(length / 1024)} kB, ${colours} colours`);
  await page.context().close();
}

/** Writes a picture with at most 256 colours: a third of the bytes. */
async function withFewColours(bytes: Uint8Array): Promise<Uint8Array> {
  await png.loadDecoder();
  await png.loadEncoder();
  return png.encode(png.decode(bytes), { quantize: true, colors: 256 });
}

/** Counts the colours of a picture, by a canvas. */
async function countColours(browser: Browser, bytes: Buffer): Promise<number> {
  const page = await browser.newPage();
  const source = `data:image/png;base64,${bytes.toString('base64')}`;
  const count = await page.evaluate<number>(`(async () => {
    const image = new Image();
    image.src = ${JSON.stringify(source)};
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.width;
    canvas.height = image.height;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size;
  })()`);
  await page.close();
  return count;
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
} finally {
  await browser.close();
  await service.close();
  await demo.close();
}
