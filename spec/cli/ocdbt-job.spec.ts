/** A job on a volume in an OCDBT database: spec/fixtures/ocdbt/README.md. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { expectedVolume, OCDBT_FOLDER } from '../../testing/ocdbt-fixtures.ts';
import { runCli } from './run-cli.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'ocdbt-job-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('a job keeps to the version that was the latest when it was planned', async () => {
  const points = join(folder, 'points.csv'),
    job = join(folder, 'job'),
    out = join(folder, 'out.csv'),
    { generation, values } = expectedVolume.versions.at(-1)!;
  writeFileSync(points, `x,y,z\n${expectedVolume.points.map((point) => point.join(',')).join('\n')}\n`);
  const volume = `${OCDBT_FOLDER}/volume/|ocdbt:seg/ws`;
  const planned = await runCli(['job', 'plan', points, '--volume', volume, '--job', job, '--out', out]);
  expect(planned).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(join(job, 'manifest.json'), 'utf8'))).toMatchObject({
    volume: `${OCDBT_FOLDER}/volume/|ocdbt:@v${generation}/seg/ws`,
  });
  expect(await runCli(['job', 'resume', job])).toMatchObject({ code: 0 });
  const rows = readFileSync(out, 'utf8').trim().split('\n').slice(1);
  // The value of a chunk that is not stored is empty in a table, and 0 in TensorStore.
  expect(rows.map((row) => row.split(',')[3] || '0')).toEqual(values);
});
