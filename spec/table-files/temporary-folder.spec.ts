import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { temporaryFolder } from '../../lib/table-files/temporary-folder.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'temporary-folder-')));
afterAll(() => rmSync(folder, { recursive: true }));

test('is the folder that is named, else TMPDIR', async () => {
  expect(await temporaryFolder({ tempDir: 'a', out: '/dev/null' }, { TMPDIR: 'b' })).toBe('a');
  expect(await temporaryFolder({ out: '/dev/null' }, { TMPDIR: 'b' })).toBe('b');
});

test('is the folder of the output file, also behind a link, but not that of a device', async () => {
  mkdirSync(join(folder, 'data'));
  symlinkSync('data/out.csv', join(folder, 'link.csv'));
  const of = (out: string): Promise<string> => temporaryFolder({ out }, { TMPDIR: '' });
  expect(await of(join(folder, 'new.csv'))).toBe(folder);
  expect(await of(join(folder, 'link.csv'))).toBe(join(folder, 'data'));
  writeFileSync(join(folder, 'data', 'out.csv'), '');
  expect(await of(join(folder, 'link.csv'))).toBe(join(folder, 'data'));
  for (const out of ['-', '/dev/null']) expect(await of(out)).toBe(tmpdir());
});
