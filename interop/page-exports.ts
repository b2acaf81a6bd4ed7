/** What the explorer lets people take along: CSV by the clipboard, Parquet, a Neuroglancer link; each is read back. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { parquetReadObjects } from 'hyparquet';
import Papa from 'papaparse';
import { pointsOfState } from '../lib/neuroglancer/state-points.ts';
import { downloadRows, lookUp, pasteText, waitUntil } from './explorer-page.ts';
import { compareRows, type Context, countPoints, csvOf, start } from './page-checks.ts';
import { BEFORE_MERGE, makePlaces, MERGE, RESOLUTION } from './page-world.ts';

type Row = Record<string, string>;
const idsOf = (rows: readonly Row[], name: string): BigUint64Array =>
  BigUint64Array.from(rows, (row) => BigInt(row[name] || 0));
const placeOf = ({ x, y, z }: Row): number[] => [x, y, z].map(Number);

async function copied({ service, comparison }: Context, page: Page, rows: readonly Row[]): Promise<void> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: service.url });
  await page.click('#copy');
  await waitUntil(page, `document.getElementById('export-note').textContent.startsWith('Copied ')`);
  const text = await page.evaluate<string>('navigator.clipboard.readText()');
  const { data } = Papa.parse<Row>(text, { header: true, skipEmptyLines: true });
  comparison.each('copied: rows', rows, data);
}

async function savedAsParquet({ comparison }: Context, page: Page, rows: readonly Row[]): Promise<void> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-parquet')]);
  const bytes = await readFile(await download.path());
  const saved = await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  });
  comparison.same('Parquet: name', 'points.parquet', download.suggestedFilename());
  for (const name of ['supervoxel_id', 'root_id'])
    comparison.values(
      `Parquet: ${name}`,
      idsOf(rows, name),
      BigUint64Array.from(saved, (row) => (row[name] ?? 0n) as bigint),
    );
  comparison.each(
    'Parquet: places and statuses',
    rows.map((row) => [...placeOf(row), row.status]),
    saved.map(({ x, y, z, status }): unknown[] => [x, y, z, status]),
  );
}

/** The state of the link has the rows of the table: their places, their roots, a colour a root. */
async function openedInNeuroglancer(
  { comparison }: Context,
  page: Page,
  rows: readonly Row[],
): Promise<void> {
  const context = page.context();
  await context.route(/^https:/, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<title>viewer' }),
  );
  const [viewer] = await Promise.all([context.waitForEvent('page'), page.click('#neuroglancer')]);
  await viewer.waitForLoadState();
  comparison.same('Neuroglancer: the viewer has no opener', null, await viewer.evaluate('window.opener'));
  comparison.same('Neuroglancer: no referrer', '', await viewer.evaluate('document.referrer'));
  const link = viewer.url(),
    { points, resolution, segments, annotation } = pointsOfState(link);
  comparison.same('Neuroglancer: unit', RESOLUTION, resolution);
  comparison.each(
    'Neuroglancer: voxels of the rows',
    rows.map(placeOf),
    rows.map((_, k) => [...points.subarray(3 * k, 3 * k + 3)].map(Math.floor)),
  );
  comparison.same('Neuroglancer: annotations', rows.length, annotation.length);
  comparison.values(
    'Neuroglancer: roots of the rows',
    idsOf(rows, 'root_id'),
    BigUint64Array.from(segments, ([id]) => BigInt(id ?? 0)),
  );
  const { layers } = JSON.parse(decodeURIComponent(link.slice(link.indexOf('#!') + 2))) as {
    layers: { annotations?: { props: [string, number] }[] }[];
  };
  const colours = layers.at(-1)!.annotations!.map(({ props: [colour] }) => colour);
  const colourOf = new Map(rows.map(({ root_id: root }, k) => [root, colours[k]]));
  comparison.each(
    'Neuroglancer: rows of a root have its colour',
    rows.map(({ root_id: root }) => colourOf.get(root)),
    colours,
  );
  await viewer.close();
}

/** Rows that are sorted by x, so that their order is not that of the points. */
async function takenAlong(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context),
    places = makePlaces(300, 11);
  await pasteText(page, csvOf(places));
  await lookUp(page);
  const rows = await downloadRows(page);
  compareRows('taken along', rows, places, context);
  await savedAsParquet(context, page, rows);
  await page.click('[tabulator-field="x"] .header-button');
  await page.waitForSelector('[tabulator-field="x"][aria-sort="ascending"]');
  const sorted = await downloadRows(page);
  comparison.values(
    'taken along: sorted by x',
    Float64Array.from(places, ([x]) => x).sort(),
    Float64Array.from(sorted, ({ x }) => Number(x)),
  );
  await copied(context, page, sorted);
  await openedInNeuroglancer(context, page, sorted);
  comparison.same('taken along: troubles', [], troubles);
  await page.context().close();
}

/** Another second time asks for the roots at that time, and for nothing else. */
async function comparedLater(context: Context): Promise<void> {
  const { comparison } = context,
    { page, troubles } = await start(context),
    places = makePlaces(400, 12);
  await pasteText(page, csvOf([[2, 1, 1], [42, 1, 1], ...places]));
  await lookUp(page);
  const before = await downloadRows(page);
  const compare = async (
    time: string,
  ): Promise<{ said: string; rows: Row[]; asked: number; roots: number }> => {
    let roots = 0,
      said = '';
    await page.route('**/roots?*', (route) => {
      const { ids } = route.request().postDataJSON() as { ids: string[] };
      roots += ids.length;
      return route.fallback();
    });
    await page.selectOption('#other', time === '' ? '' : 'date');
    if (time !== '') await page.fill('#other-date', time);
    const asked = await countPoints(page, async () => void (said = await lookUp(page)));
    await page.unroute('**/roots?*');
    return { said, rows: await downloadRows(page), asked, roots };
  };
  const supervoxels = new Set(before.flatMap((row) => (row.root_id ? [row.supervoxel_id] : [])));
  const merged = before[0].root_id;
  const changed = before.filter(({ root_id: root }) => root === merged).length;
  const old = await compare(BEFORE_MERGE);
  comparison.same('compared later: no point is asked again', 0, old.asked);
  comparison.same('compared later: each supervoxel is asked once', supervoxels.size, old.roots);
  comparison.same(
    'compared later: what changed is said',
    true,
    old.said.includes(`${changed} of ${before.filter((row) => row.root_id).length} rows have another root`),
  );
  comparison.each(
    'compared later: the rows that changed',
    before.map(({ root_id: root }) => (root ? (root === merged ? 'yes' : 'no') : '')),
    old.rows.map((row) => row.changed),
  );
  comparison.values('compared later: the roots stay', idsOf(before, 'root_id'), idsOf(old.rows, 'root_id'));
  const later = await compare(MERGE.replace('12:00:00Z', '18:00:00'));
  comparison.same('compared later: a second time', [0, supervoxels.size], [later.asked, later.roots]);
  comparison.same(
    'compared later: after the merge nothing differs',
    0,
    later.rows.filter((row) => row.changed === 'yes').length,
  );
  const none = await compare('');
  comparison.same('compared later: without a second time', [0, 0], [none.asked, none.roots]);
  comparison.each('compared later: the rows are as before', before, none.rows);
  const again = await compare('');
  comparison.same('compared later: the same once more asks all points', before.length, again.asked);
  comparison.same('compared later: troubles', [], troubles);
  await page.context().close();
}

export const exportChecks = [takenAlong, comparedLater];
