/** The explorer with a pointer: rows selected in a projection and in the table, and a file that is dropped. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';
import { boxAround, rangesOf } from '../explorer/view/view-box.ts';
import { downloadRows, lookUp, pasteText, waitUntil } from './explorer-page.ts';
import { compareRows, type Context, csvOf, type Place, start } from './page-checks.ts';
import { makePlaces, RESOLUTION } from './page-world.ts';

const PLACES: readonly Place[] = [
  [20, 30, 5],
  [200, 40, 50],
  [110, 200, 30],
  [60, 120, 60],
  [240, 220, 12],
];
const PAIRS = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const;
/** Around the plot of a projection there are its axes. */
const MARGIN = { left: 52, right: 10, top: 8, bottom: 30 };

/** Where a place is on a projection, in pixels from the corner of its picture. */
async function pixelOf(page: Page, view: number, place: Place): Promise<[number, number]> {
  const { width, height } = (await page.locator('.canvas').nth(view).boundingBox())!,
    size = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom] as const,
    axes = PAIRS[view];
  const ranges = rangesOf(boxAround(Float64Array.from(PLACES.flat())), axes, RESOLUTION, size);
  const [x, y] = axes.map(
    (axis, k) => (size[k] * (place[axis] - ranges[k][0])) / (ranges[k][1] - ranges[k][0]),
  );
  return [MARGIN.left + x, MARGIN.top + y];
}

/** Moves the pointer to a place of a projection. */
async function hover(page: Page, view: number, place: Place, by = 0): Promise<void> {
  const { x, y } = (await page.locator('.canvas').nth(view).boundingBox())!,
    [left, top] = await pixelOf(page, view, place);
  await page.mouse.move(x + left + by, y + top + by, { steps: 3 });
}

async function click(page: Page, view: number, place: Place): Promise<void> {
  await page.locator('.canvas').nth(view).scrollIntoViewIfNeeded();
  await hover(page, view, place);
  await page.mouse.down();
  await page.mouse.up();
}

const selectedInTable = (page: Page): Promise<string[]> =>
  page.locator('.tabulator-row.is-selected .row-button').allTextContents();

/** The rows that have the ring of selected points around them, in each projection. */
async function ringed(page: Page): Promise<string[][]> {
  const centres = await Promise.all(
    PAIRS.map((_, view) => Promise.all(PLACES.map((place) => pixelOf(page, view, place)))),
  );
  return page.evaluate<string[][]>(`${JSON.stringify(centres)}.map((places, view) => {
    const canvas = document.querySelectorAll('.canvas canvas')[view],
      scale = canvas.width / canvas.clientWidth,
      copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    copy.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
    copy.fillRect(0, 0, 1, 1);
    const accent = copy.getImageData(0, 0, 1, 1).data;
    return places.flatMap(([x, y], row) => {
      copy.clearRect(0, 0, 300, 300);
      copy.drawImage(canvas, -Math.round((x - 9) * scale), -Math.round((y - 9) * scale)); // pixel by pixel
      const { data } = copy.getImageData(0, 0, 18 * scale, 18 * scale);
      let count = 0;
      for (let at = 0; at < data.length; at += 4)
        if ([0, 1, 2].every((k) => Math.abs(data[at + k] - accent[k]) < 12) && data[at + 3] > 200) count++;
      return count < 20 ? [] : [String(row + 1)];
    });
  })`);
}

/** A selection is the same in the table and in all projections, whichever it was made in. */
async function selected(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context);
  await pasteText(page, csvOf(PLACES));
  await lookUp(page);
  await page.check('input[name="colour"][value="status"]');
  const expectRows = async (what: string, rows: readonly string[]): Promise<void> => {
    const expected = { table: rows, projections: [rows, rows, rows] };
    const look = async () => ({ table: await selectedInTable(page), projections: await ringed(page) });
    let found = await look();
    for (let turn = 0; turn < 100 && !isDeepStrictEqual(found, expected); turn++) {
      await page.waitForTimeout(50);
      found = await look();
    }
    comparison.same(`${what}: selected`, expected, found);
    comparison.same(
      `${what}: told`,
      true,
      (await page.textContent('#selection'))!.startsWith(
        rows.length === 0
          ? 'Select rows'
          : rows.length === 1
            ? `Row ${rows[0]} at ${PLACES[Number(rows[0]) - 1].join(', ')}: `
            : `${rows.length} rows selected`,
      ),
    );
  };
  await expectRows('nothing', []);
  await click(page, 0, PLACES[2]);
  await expectRows('a click on a point in xy', ['3']);
  await page.click('.tabulator-row:nth-child(2) .tabulator-cell[tabulator-field="x"]');
  await expectRows('a click on a row', ['2']);
  await page.click('.tabulator-row:nth-child(5) .tabulator-cell[tabulator-field="y"]', {
    modifiers: ['Control'],
  });
  await expectRows('a second row with Ctrl', ['2', '5']);
  await page.keyboard.down('Shift');
  await click(page, 2, PLACES[0]);
  await page.keyboard.up('Shift');
  await expectRows('a point in yz with Shift', ['1', '2', '5']);
  await click(page, 1, [150, 0, 5]);
  await expectRows('a click beside the points', []);
  // In xz, the rectangle around the first and the third point holds no other.
  await hover(page, 1, [PLACES[0][0], 0, PLACES[0][2]], -10);
  await page.mouse.down();
  await hover(page, 1, PLACES[2], 10);
  comparison.same('a rectangle is drawn', true, await page.locator('.rectangle').nth(1).isVisible());
  await page.mouse.up();
  comparison.same('a rectangle is gone', false, await page.locator('.rectangle').nth(1).isVisible());
  await expectRows('a rectangle in xz', ['1', '3']);
  await page.check('#filter-selected');
  await waitUntil(page, `document.getElementById('shown').textContent === '2 of 5 rows'`);
  comparison.same(
    'only the selected rows',
    ['1', '3'],
    (await downloadRows(page)).map(({ x }) =>
      String(PLACES.findIndex((place) => place[0] === Number(x)) + 1),
    ),
  );
  comparison.same('pointer: troubles', [], troubles);
  await page.context().close();
}

/** A file is dropped on the page as a person does it, and another is opened. */
async function dropped(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context),
    folder = mkdtempSync(join(tmpdir(), 'page-'));
  try {
    const places = makePlaces(250, 21),
      file = join(folder, 'dropped <b>.tsv');
    writeFileSync(file, csvOf(places).replaceAll(',', '\t'));
    const session = await page.context().newCDPSession(page);
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', {
        type,
        x: 700,
        y: 400,
        data: { items: [], files: [file], dragOperationsMask: 1 },
      });
      if (type === 'dragOver')
        comparison.same(
          'dropped: the page shows that it takes the file',
          true,
          await page.evaluate(`document.body.classList.contains('is-dropping')`),
        );
    }
    await page.waitForSelector('#start:not([disabled])');
    comparison.same(
      'dropped: what was read',
      '250 points from TSV (dropped <b>.tsv)',
      await page.textContent('#points-summary'),
    );
    comparison.same(
      'dropped: the mark is gone',
      false,
      await page.evaluate(`document.body.classList.contains('is-dropping')`),
    );
    await lookUp(page);
    compareRows('dropped', await downloadRows(page), places, context);

    const others = makePlaces(60, 22),
      json = join(folder, 'opened.json');
    writeFileSync(json, JSON.stringify({ points: others }));
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('#open-file')]);
    await chooser.setFiles(json);
    await waitUntil(page, `document.getElementById('points-summary').textContent.includes('opened.json')`);
    await waitUntil(page, `document.getElementById('start').textContent === 'Look up 60 points'`);
    await lookUp(page);
    compareRows('opened', await downloadRows(page), others, context);
    comparison.same('dropped: troubles', [], troubles);
  } finally {
    await page.context().close();
    rmSync(folder, { recursive: true });
  }
}

export const pointerChecks = [selected, dropped];
