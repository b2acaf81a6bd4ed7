/**
 * Measures the floor: the chunks of a point set are fetched with node:http and decompressed with node:zlib
 * into buffers of the right size. No voxel is decoded. Prints one JSON line.
 *
 * With `--workers N`, N worker threads share the chunks and the 32 connections. The clock includes their
 * start.
 *
 *   node bench/floor.mjs --base URL --volume NAME --points FILE_WITHOUT_SUFFIX [--workers N] [--again N]
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { close, fetchChunks, get } from './floor-chunks.mjs';
import { mainThreadSeconds, passes } from './passes.mjs';

const { values: args } = parseArgs({
  options: {
    base: { type: 'string' },
    volume: { type: 'string' },
    points: { type: 'string' },
    workers: { type: 'string', default: '0' },
    again: { type: 'string', default: '0' },
  },
});
const CONNECTIONS = 32;
const root = `${args.base}/${args.volume}`;
const [scale] = JSON.parse(await get(`${root}/info`)).scales,
  offset = scale.voxel_offset ?? [0, 0, 0];
const bytes = readFileSync(`${args.points}.f64`),
  points = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
const cells = new Set();
for (let i = 0; i < points.length; i += 3) {
  let cell = 0;
  for (const axis of [2, 1, 0])
    cell = cell * 4096 + Math.floor((points[i + axis] - offset[axis]) / scale.chunk_sizes[0][axis]);
  cells.add(cell);
}
/** Returns the URL of a chunk. Chunks at the end of the volume are cut. */
const urlOf = (cell) => {
  const ranges = scale.chunk_sizes[0].map((size, axis) => {
    const from = (Math.floor(cell / 4096 ** axis) % 4096) * size;
    return `${offset[axis] + from}-${offset[axis] + Math.min(from + size, scale.size[axis])}`;
  });
  return `${root}/${scale.key}/${ranges.join('_')}`;
};
const urls = Array.from(cells, urlOf);

const count = Number(args.workers),
  workers = [];

/** Fetches all chunks once and returns their stored bytes. */
async function fetchAll() {
  const next = new Int32Array(new SharedArrayBuffer(4));
  if (count === 0) return fetchChunks({ urls, next, connections: CONNECTIONS });
  while (workers.length < count)
    workers.push(new Worker(new URL('./floor-chunks.mjs', import.meta.url), { workerData: { floor: true } }));
  const connections = Math.ceil(CONNECTIONS / count);
  const stored = await Promise.all(
    workers.map(async (worker) => {
      worker.postMessage({ urls, next, connections });
      const [taken] = await once(worker, 'message');
      return taken;
    }),
  );
  return stored.reduce((sum, taken) => sum + taken, 0);
}

async function run() {
  const cpu = process.cpuUsage(),
    main = mainThreadSeconds(),
    began = performance.now();
  const stored = await fetchAll();
  const wall_s = (performance.now() - began) / 1000,
    used = process.cpuUsage(cpu),
    mainUsed = mainThreadSeconds() - main;
  return {
    wall_s,
    cpu_s: (used.user + used.system) / 1e6,
    main_cpu_s: mainUsed,
    peak_mb: process.resourceUsage().maxRSS / 1024,
    requests: urls.length,
    bytes: stored,
    wrong: 0,
  };
}

console.log(JSON.stringify(await passes(run, Number(args.again))));
await Promise.all(workers.map((worker) => worker.terminate()));
close();
