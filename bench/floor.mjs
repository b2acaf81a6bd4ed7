/**
 * Measures the floor: the chunks of a point set are fetched with node:http and decompressed with node:zlib
 * into buffers of the right size. No voxel is decoded. Prints one JSON line.
 *
 *   node bench/floor.mjs --base URL --volume NAME --points FILE_WITHOUT_SUFFIX [--again N]
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { passes } from './passes.mjs';

const { values: args } = parseArgs({
  options: {
    base: { type: 'string' },
    volume: { type: 'string' },
    points: { type: 'string' },
    again: { type: 'string', default: '0' },
  },
});
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const get = (path) =>
  new Promise((resolve, reject) => {
    http
      .get(
        `${args.base}/${args.volume}/${path}`,
        { agent, headers: { 'accept-encoding': 'gzip' } },
        (response) => {
          const pieces = [];
          response.on('data', (piece) => pieces.push(piece));
          response.on('end', () => resolve(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)));
        },
      )
      .on('error', reject);
  });

const [scale] = JSON.parse(await get('info')).scales,
  [cx, cy, cz] = scale.chunk_sizes[0];
const bytes = readFileSync(`${args.points}.f64`),
  points = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
const keys = new Set();
for (let i = 0; i < points.length; i += 3) {
  const [x, y, z] = [
    Math.floor(points[i] / cx),
    Math.floor(points[i + 1] / cy),
    Math.floor(points[i + 2] / cz),
  ];
  keys.add(`${scale.key}/${x * cx}-${(x + 1) * cx}_${y * cy}-${(y + 1) * cy}_${z * cz}-${(z + 1) * cz}`);
}

/** Decompresses large chunks on the thread pool, one per core, and small chunks on the main thread. */
let free = availableParallelism();
const waiters = [];
async function inflate(stored) {
  const size = stored.readUInt32LE(stored.length - 4),
    options = { chunkSize: size + 64 };
  if (size < 1 << 19) return gunzipSync(stored, options);
  if (free === 0) await new Promise((resolve) => waiters.push(resolve));
  else free--;
  const inflated = await new Promise((resolve, reject) =>
    gunzip(stored, options, (error, output) => (error ? reject(error) : resolve(output))),
  );
  if (waiters.length > 0) waiters.shift()();
  else free++;
  return inflated;
}

async function run() {
  const cpu = process.cpuUsage(),
    began = performance.now(),
    waiting = [...keys];
  let stored = 0;
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (let key = waiting.pop(); key; key = waiting.pop()) {
        const chunk = await get(key);
        stored += chunk.length;
        await inflate(chunk);
      }
    }),
  );
  const wall_s = (performance.now() - began) / 1000,
    used = process.cpuUsage(cpu);
  return {
    wall_s,
    cpu_s: (used.user + used.system) / 1e6,
    peak_mb: process.resourceUsage().maxRSS / 1024,
    requests: keys.size,
    bytes: stored,
    wrong: 0,
  };
}

console.log(JSON.stringify(await passes(run, Number(args.again))));
agent.destroy();
