/** Packages of decoders are loaded only for volumes that need them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { VOLUMES_FOLDER } from '../../testing/fixtures.ts';
import { program } from '../support/program.ts';

test('volumes without jpeg and jxl load no package of an image decoder; the others load their own', async () => {
  const volumes = [
    'seg_raw_u64_gzip',
    'seg_cseg_u64_gzip',
    'img_raw_u8',
    'img_png_u8',
    'img_jpeg_u8',
    'img_jxl_u8',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [
    program('spec/graphene/loaded-packages-run.ts'),
    ...volumes.map((name) => join(VOLUMES_FOLDER, name)),
  ]);
  expect(
    (JSON.parse(stdout) as { compiled: number; scripts: number }[]).map(({ compiled, scripts }) => [
      compiled,
      scripts,
    ]),
  ).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [1, 1],
    [2, 1],
  ]);
});
