/** A short shortage of file descriptors: look-ups wait, and everything works afterwards. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { VOLUMES_FOLDER } from '../../testing/fixtures.ts';
import { worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { program } from '../support/program.ts';

let served: ServedMocks, folder: string;
beforeAll(async () => {
  served = await serveMocks({ '/segmentation': worldGraph(), '/bucket': worldBucket() });
  folder = await mkdtemp(join(tmpdir(), 'gp-shortage-'));
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});

test('a process without file descriptors waits for them', async () => {
  // The shell lowers the limit, and then becomes the process.
  const child = spawn('sh', [
    '-c',
    'ulimit -n 256; exec "$@"',
    'sh',
    process.execPath,
    program('spec/graphene/shortage-run.ts'),
    served.url,
    VOLUMES_FOLDER,
    join(folder, 'cache'),
  ]);
  let out = '',
    err = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve)); // the process ends by itself
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toEqual({
    results: {
      'chunks in files, and their decoder': ['ok'],
      'chunks over HTTP, with a disk cache': ['ok', 'ok', 'ok', 'ok'],
      'cache hits': 4,
      roots: ['ok', 'ok'],
      'a volume opened during the shortage': ['ok'],
    },
    warnings: [],
  });
}, 60_000);
