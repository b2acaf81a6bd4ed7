/**
 * Uses the explorer in headless Chromium: whole look-ups by keyboard alone, 100,000 points, hostile texts, cancelled
 * and refused requests. Its answers are compared with the labels that the mocked volume was made from.
 */
import { findAccessibilityFaults, openBrowser } from './browser.ts';
import { downloadRows, lookUp, pasteText, tabTo, waitForEnd, waitUntil } from './explorer-page.ts';
import { compareRows, type Context, countPoints, csvOf, isInside, type Place, start } from './page-checks.ts';
import { exportChecks } from './page-exports.ts';
import { pointerChecks } from './page-pointer.ts';
import { AFTER_MERGE, BEFORE_MERGE, makePlaces, startPageWorld } from './page-world.ts';
import type { Part } from './part.ts';

const MANY = 100_000;
/** A page that stands still for longer is broken, even on a busy machine. */
const LONGEST_TASK_MS = 1500;
const HOSTILE = `<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>`;

export const page: Part = async ({ comparison }) => {
  await using world = await startPageWorld();
  const browser = await openBrowser();
  try {
    const context = { ...world, browser, comparison };
    for (const check of [
      byKeyboard,
      inBothSchemes,
      manyPoints,
      hostileTexts,
      wrongUnit,
      busyService,
      cancelled,
      ...pointerChecks,
      ...exportChecks,
    ])
      await check(context);
    await stoppedService(context);
  } finally {
    await browser.close();
  }
};

/** Types points, looks them up, sorts, filters, and walks through the rows, without a pointer. */
async function byKeyboard(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context),
    { keyboard } = page;
  const places: Place[] = [
    [2, 1, 1],
    [42, 1, 1],
    [200, 100, 30],
    [0, 0, 0],
    [999, 1, 1],
  ];
  await tabTo(page, '.skip');
  await tabTo(page, '#text');
  await keyboard.type(places.map((place) => place.join(', ')).join('\n'));
  await tabTo(page, '#time');
  await keyboard.press('a'); // a date
  await tabTo(page, '#time-date');
  await page.fill('#time-date', AFTER_MERGE);
  await tabTo(page, '#other');
  await keyboard.press('a');
  await page.fill('#other-date', BEFORE_MERGE);
  await tabTo(page, '#start:not([disabled])');
  await keyboard.press('Enter');
  const said = await waitForEnd(page);
  comparison.same(
    'keyboard: what changed is said',
    true,
    said.includes('2 of 3 rows have another root at 2024-06-05'),
  );
  comparison.same(
    'keyboard: focus after the look-up',
    'start',
    await page.evaluate('document.activeElement.id'),
  );
  compareRows('keyboard', await downloadRows(page), places, context);

  await tabTo(page, '.row-button');
  await keyboard.press('ArrowDown');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await page.waitForSelector('.tabulator-row.is-selected');
  comparison.same(
    'keyboard: the selected row is told',
    true,
    (await page.textContent('#selection'))!.startsWith('Row 3 at 200, 100, 30: ok'),
  );
  await tabTo(page, '[tabulator-field="x"] .header-button', 'Shift+Tab');
  await keyboard.press('Enter');
  await page.waitForSelector('[tabulator-field="x"][aria-sort="ascending"]');
  const column = (): Promise<string[]> =>
    page.locator('.tabulator-cell[tabulator-field="x"]').allTextContents();
  comparison.same('keyboard: sorted by x', ['0', '2', '42', '200', '999'], await column());
  await tabTo(page, '#filter-status', 'Shift+Tab');
  await keyboard.type('out');
  await waitUntil(page, `document.getElementById('shown').textContent === '1 of 5 rows'`);
  comparison.same('keyboard: filtered by status', ['999'], await column());
  comparison.same('keyboard: troubles', [], troubles);
  await page.context().close();
}

/** axe in both schemes, on a wide and a narrow page, before and after a look-up: four pages side by side. */
async function inBothSchemes(context: Context): Promise<void> {
  await Promise.all(
    (['light', 'dark'] as const).flatMap((colorScheme) =>
      [1440, 320].map((width) => inScheme(context, colorScheme, width)),
    ),
  );
}

async function inScheme(context: Context, colorScheme: 'light' | 'dark', width: number): Promise<void> {
  const name = `${colorScheme}, ${width} px`,
    { comparison } = context,
    { page, troubles } = await start(context, {
      colorScheme,
      reducedMotion: 'reduce',
      viewport: { width, height: 900 },
    });
  comparison.same(`${name}: axe, empty`, [], await findAccessibilityFaults(page));
  await pasteText(
    page,
    `name,x,y,z\n${makePlaces(60)
      .map((place, k) => `n${k},${place.join()}`)
      .join('\n')}`,
  );
  await page.selectOption('#other', { label: 'a date…' });
  await page.fill('#other-date', BEFORE_MERGE);
  await lookUp(page);
  await page.click('.row-button');
  await page.waitForSelector('.tabulator-row.is-selected');
  comparison.same(`${name}: axe, filled`, [], await findAccessibilityFaults(page));
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  comparison.same(`${name}: nothing is wider than the page`, 0, overflow);
  comparison.same(`${name}: troubles`, [], troubles);
  await page.context().close();
}

async function manyPoints(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context),
    places = makePlaces(MANY);
  const began = performance.now();
  await pasteText(page, csvOf(places));
  const pasted = performance.now();
  await page.evaluate('window.longTasks.length = 0');
  await lookUp(page);
  const done = performance.now();
  await page.click('[tabulator-field="root"] .header-button');
  await page.waitForSelector('[tabulator-field="root"][aria-sort="ascending"]');
  await page.fill('#filter-root', '1');
  await page.waitForTimeout(500);
  await page.fill('#filter-root', '');
  await page.waitForTimeout(1500);
  const longest = Math.max(0, ...(await page.evaluate<number[]>('window.longTasks')));
  console.log(
    `page: ${MANY} points: ${Math.round(pasted - began)} ms to read the text, ${Math.round(done - pasted)} ms to the last row, longest task ${Math.round(longest)} ms`,
  );
  comparison.same(`no task takes more than ${LONGEST_TASK_MS} ms`, true, longest <= LONGEST_TASK_MS);
  await page.click('[tabulator-field="root"] .header-button');
  await page.click('[tabulator-field="root"] .header-button'); // in the order of the points again
  await page.waitForSelector('[tabulator-field="root"][aria-sort="none"]');
  compareRows('many points', await downloadRows(page), places, context);
  comparison.same('many points: troubles', [], troubles);
  await page.context().close();
}

/** Names, cells and states that are markup or formulas stay text. */
async function hostileTexts(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context);
  const quoted = `"${HOSTILE.replaceAll('"', '""')}"`;
  await pasteText(page, `${quoted},x,y,z,sum\n${quoted},2,1,1,=1+1\nplain,42,1,1,-5\n`);
  await lookUp(page);
  comparison.same(
    'hostile: the cell is its text',
    HOSTILE,
    await page.textContent('.tabulator-cell[tabulator-field="extra:0"]'),
  );
  const rows = await downloadRows(page);
  comparison.same(
    'hostile: formulas are guarded',
    ["'=1+1", '-5'],
    rows.map(({ sum }) => sum),
  );
  comparison.same(
    'hostile: other cells stay',
    [HOSTILE, 'plain'],
    rows.map((row) => row[HOSTILE]),
  );
  const state = {
    dimensions: { x: [8e-9, 'm'], y: [8e-9, 'm'], z: [40e-9, 'm'] },
    layers: [
      {
        type: 'annotation',
        source: 'local://annotations',
        name: HOSTILE,
        annotations: [{ type: 'point', id: HOSTILE, point: [1.5, 1.5, 1.5], description: HOSTILE }],
      },
    ],
  };
  await pasteText(page, JSON.stringify(state));
  await lookUp(page);
  comparison.same(
    'hostile: the layer is its text',
    HOSTILE,
    await page.textContent('.tabulator-cell[tabulator-field="extra:0"]'),
  );
  comparison.same(
    'hostile: nothing ran',
    [null, 0],
    [
      await page.evaluate('window.hacked ?? null'),
      await page.evaluate(`document.querySelectorAll('#hacked, .columns img, .columns script').length`),
    ],
  );
  comparison.same('hostile: troubles', [], troubles);
  await page.context().close();
}

async function wrongUnit(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context);
  const places = makePlaces(200, 9).filter(isInside);
  await pasteText(page, csvOf(places.map(([x, y, z]) => [8 * x + 4, 8 * y + 4, 40 * z + 20])));
  const advice = (await page.textContent('#advice'))!;
  comparison.same(
    'wrong unit: the bounds are told',
    true,
    advice.includes('x from 0 to 256, y from 0 to 256 and z from 0 to 64'),
  );
  await page.click('#advice button');
  comparison.same(
    'wrong unit: the offered unit',
    ['nm', ''],
    [await page.inputValue('#unit'), await page.textContent('#advice')],
  );
  await lookUp(page);
  compareRows('wrong unit', await downloadRows(page), places, context);
  comparison.same('wrong unit: troubles', [], troubles);
  await page.context().close();
}

/** The service is busy, then answers; and one request is refused for good. */
async function busyService(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context);
  let refused = 0;
  await page.route('**/points?*', async (route) => {
    if (refused++ > 0) return route.fallback();
    await route.fulfill({
      status: 429,
      headers: { 'Retry-After': '1' },
      body: '{"error":{"message":"busy"}}',
    });
  });
  const places = makePlaces(50, 3);
  await pasteText(page, csvOf(places));
  const said = await lookUp(page);
  comparison.same('busy: done in the end', true, said.startsWith('Done: 50 points'));
  compareRows('busy', await downloadRows(page), places, context);
  await page.unroute('**/points?*');
  await page.route('**/points?*', (route) =>
    route.fulfill({ status: 401, body: '{"error":{"message":"a token is needed"}}' }),
  );
  await page.fill('#text', '1, 1, 1');
  const problem = await lookUp(page);
  comparison.same('refused: told in plain words', true, problem.includes('The service wants a token.'));
  comparison.same(
    'refused: the focus is in the token',
    'token',
    await page.evaluate('document.activeElement.id'),
  );
  // Chromium itself writes a line for each refused request.
  comparison.same(
    'busy: troubles',
    [],
    troubles.filter((line) => !/status of (429|401)/.test(line)),
  );
  await page.context().close();
}

/** A cancelled look-up keeps its answers; the next one asks only for the rest. */
async function cancelled(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context),
    places = makePlaces(20_000, 5);
  let asked = 0;
  await page.route('**/points?*', async (route) => {
    if (++asked > 2) await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
    await route.fallback().catch(() => undefined); // the page has left
  });
  await pasteText(page, csvOf(places));
  await page.click('#start');
  await waitUntil(page, 'document.getElementById("progress").value > 0');
  await page.click('#cancel');
  const said = await waitForEnd(page);
  comparison.same(
    'cancelled: says how far it came',
    true,
    /^Cancelled: [\d,]+ of 20,000 points have answers\./.test(said),
  );
  await page.unroute('**/points?*');
  const rows = await countPoints(page, async () => void (await lookUp(page)));
  const before = Number(/([\d,]+) of/.exec(said)![1].replace(',', ''));
  comparison.same('cancelled: only the rest is asked', 20_000 - before, rows);
  compareRows('cancelled', await downloadRows(page), places, context);
  comparison.same('cancelled: troubles', [], troubles);
  await page.context().close();
}

/** The service stops while the page is open. */
async function stoppedService(context: Context): Promise<void> {
  const { comparison } = context,
    { page } = await start(context);
  await page.route('**/v1/**', (route) => route.abort('connectionrefused'));
  await page.fill('#text', '1, 1, 1');
  const said = await lookUp(page);
  comparison.same('stopped: told in plain words', true, said.includes('The service does not answer.'));
  await page.context().close();
}
