// Checks the packed package: its entries can be imported, and its command runs. The working folder has only
// the package installed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { lookupTable, memoryBucket, openGraphene, PointStatus } from 'graphene-points';
import * as mocks from 'graphene-points/mocks';

const { version } = createRequire(import.meta.url)('graphene-points/package.json');
assert.equal(PointStatus.notLookedUp, 10);
assert.equal(typeof openGraphene, 'function');
assert.equal(typeof mocks.serveMocks, 'function');
assert.ok(!existsSync('node_modules/nock'), 'nock is an optional peer and is not installed with the package');
await assert.rejects(import('graphene-points/mocks/nock'), { code: 'ERR_MODULE_NOT_FOUND' });

// A dynamic import of a .ts file would fail only when it runs.
const built = readdirSync('node_modules/graphene-points/dist', { recursive: true }).filter((file) =>
  file.endsWith('.js'),
);
assert.deepEqual(
  built.filter((file) =>
    /import\((['"])[^'"]*\.ts\1\)/.test(readFileSync(`node_modules/graphene-points/dist/${file}`, 'utf8')),
  ),
  [],
);

// The work of lookupTable is imported when it is called.
const memory = memoryBucket('packed');
memory.put(
  'info',
  Buffer.from(
    JSON.stringify({
      type: 'image',
      data_type: 'uint8',
      num_channels: 1,
      scales: [
        {
          key: '0',
          size: [2, 2, 1],
          resolution: [4, 4, 40],
          voxel_offset: [0, 0, 0],
          chunk_sizes: [[2, 2, 1]],
          encoding: 'raw',
        },
      ],
    }),
  ),
);
memory.put('0/0-2_0-2_0-1', Uint8Array.of(11, 12, 13, 14));
const out = new PassThrough();
const [written, { rows }] = await Promise.all([
  text(out),
  lookupTable(Readable.from([Buffer.from('x,y,z\n1,1,0\n')]), out, { volume: 'mem://packed', format: 'csv' }),
]);
assert.deepEqual([written, rows], ['x,y,z,value,status\n1,1,0,14,ok\n', 1]);

const bin = (...args) => execFileSync('node_modules/.bin/graphene-points', args, { encoding: 'utf8' });
assert.equal(bin('--version').trim(), version);
assert.match(bin('demo'), /root/i);
console.log(`graphene-points ${version}: packed, installed, imported, run`);
