import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test('graphene-points demo shows the points before and after the merge, and the requests', async () => {
  const { code, stdout, stderr } = await runCli(['demo']);
  expect([code, stderr]).toEqual([0, '']);
  const rows = stdout.split('\n');
  // The merge of demo/README.md: one new root for both sides.
  const [a, b] = ['synapse-1', 'synapse-2'].map((id) =>
    rows.find((row) => row.startsWith(id))!.split(/ {2,}/),
  );
  expect([a[2], a[3], b[2], b[3]]).toEqual([
    '72057594038355048',
    '504403158437741433',
    '72057594039493726',
    '504403158272897301',
  ]);
  expect(a[4]).toBe(b[4]);
  expect([a[5], a[6]]).toEqual(['ok', 'changed']);
  expect(rows.filter((row) => /^POST .*roots_binary\?timestamp=/.test(row))).toHaveLength(2);
  expect(
    rows.filter((row) => row.startsWith('POST') || row.startsWith('GET')).every((row) => / 200 /.test(row)),
  ).toBe(true);
});
