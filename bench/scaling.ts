/**
 * Measures how the time of a look-up grows with the number of chunks, with 0 to 4 workers, and says what more
 * cores would give. Every run is a fresh process, and every answer is checked. The programs take turns.
 *
 *   npm run bench:scaling -- [--volumes DIR --volume cseg64_gzip --set u300k] [--python PYTHON] [--runs 5]
 *                            [--chunks 256,512,…] [--out DIR]
 *
 * Without `--volumes` it reads the volume that points.ts --quick makes.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HERE, hasVolume, measure, median, peerVersions, startServer, type Measured } from './harness.ts';
import { machine } from './machine.ts';
import { plot } from './plot.ts';
import { makePrograms, WORKERS, type Program } from './programs.ts';
import { fitGrowth, type Growth } from './scaling-model.ts';
import { chunksTable, predictionsText, slopesTable, type Scaled } from './scaling-report.ts';
import { makeVolumes } from './volumes.ts';

const { values: args } = parseArgs({
  options: {
    volumes: { type: 'string' },
    volume: { type: 'string', default: 'cseg64_gzip' },
    set: { type: 'string' },
    python: { type: 'string' },
    runs: { type: 'string', default: '5' },
    chunks: { type: 'string', default: '128,256,512,1024,2048' },
    out: { type: 'string', default: join(HERE, 'results') },
  },
});
const { volume, out, python } = args;
const volumes = args.volumes ?? join(HERE, '.work/volumes'),
  set = args.set ?? (args.volumes ? 'u300k' : 'u100k'),
  counts = args.chunks.split(',').map(Number);
if (!args.volumes && !hasVolume(volumes, volume)) await makeVolumes(volumes);

/** Writes the points that lie in the first `count` chunks, in a mixed order of chunks. Returns how many chunks. */
function writeSubset(count: number, file: string): number {
  const [scale] = (
    JSON.parse(readFileSync(join(volumes, volume, 'info'), 'utf8')) as {
      scales: [{ chunk_sizes: [number[]]; voxel_offset: number[] }];
    }
  ).scales;
  const bytes = readFileSync(join(volumes, `${set}.f64`)),
    truth = readFileSync(join(volumes, `${set}.u64`));
  const points = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8),
    cells = new Int32Array(points.length / 3);
  for (let i = 0; i < cells.length; i++)
    for (const axis of [2, 1, 0])
      cells[i] =
        cells[i] * 256 +
        Math.floor((points[3 * i + axis] - scale.voxel_offset[axis]) / scale.chunk_sizes[0][axis]);
  const mixed = (cell: number): number => Math.imul(cell + 1, 0x9e3779b1) >>> 0;
  const wanted = new Set([...new Set(cells)].sort((a, b) => mixed(a) - mixed(b)).slice(0, count));
  const kept = Array.from(cells.keys()).filter((i) => wanted.has(cells[i]));
  writeFileSync(`${file}.f64`, Buffer.concat(kept.map((i) => bytes.subarray(24 * i, 24 * i + 24))));
  writeFileSync(`${file}.u64`, Buffer.concat(kept.map((i) => truth.subarray(8 * i, 8 * i + 8))));
  return wanted.size;
}

/** The programs that take turns, with the number of their workers. */
function contestants(subset: string): { program: Program; workers: number }[] {
  const { ours, oursWith, floor, floorOfTwo, tensorStore } = makePrograms(server.base, volumes, python);
  return [
    { program: ours(volume, subset), workers: Infinity },
    ...WORKERS.map((workers) => ({ program: oursWith(workers, volume, subset), workers })),
    ...floor(volume, subset).map((program) => ({ program, workers: 0 })),
    ...floorOfTwo(volume, subset).map((program) => ({ program, workers: 2 })),
    ...tensorStore(volume, subset).map((program) => ({ program, workers: Infinity })),
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'graphene-points-scaling-'));
const server = await startServer(volumes);
const scaled = new Map<string, Scaled>();
try {
  for (const count of counts) {
    const subset = join(folder, `first${count}`),
      chunks = writeSubset(count, subset);
    const programs = contestants(subset);
    await measure(server, programs[0].program.command, programs[0].program.parameters); // fills the page cache
    const all = programs.map((): Measured[] => []);
    for (let round = 0; round < Number(args.runs); round++)
      for (const [at, { program }] of programs.entries())
        all[at].push((await measure(server, program.command, program.parameters)).cold);
    for (const [at, { program, workers }] of programs.entries()) {
      const { name } = program;
      if (!scaled.has(name)) scaled.set(name, { name, workers, measured: [] });
      scaled.get(name)!.measured.push({ chunks, runs: all[at] });
    }
    console.log(
      `${chunks} chunks: ${programs.map(({ program }, at) => `${program.name} ${median(all[at].map(({ wall_s }) => wall_s)).toFixed(2)}`).join('; ')}`,
    );
    if (chunks < count) break; // the points touch no other chunk
  }
} finally {
  server.stop();
  rmSync(folder, { recursive: true });
}

const rows = [...scaled.values()];
const growths = new Map<string, Growth>();
for (const { name, measured } of rows) {
  const growth = fitGrowth(measured);
  if (growth) growths.set(name, growth);
}
const versions = python ? ` ${await peerVersions(python)}.` : '';
mkdirSync(out, { recursive: true });
writeFileSync(
  join(out, 'scaling-chunks.svg'),
  plot({
    title: `${volume}, cold, ${set}`,
    x: 'chunks',
    y: 'seconds',
    series: rows.map(({ name, measured }) => ({
      name,
      points: measured.map(({ chunks, runs }) => [chunks, median(runs.map(({ wall_s }) => wall_s))] as const),
    })),
  }),
);
writeFileSync(
  join(out, 'scaling.md'),
  `# Time against workers and chunks

${machine()} Server: ${server.name}.${versions} Volume ${volume}, points ${set}, cold, over loopback HTTP. The server
runs on the same cores. Every figure is a median of ${args.runs} fresh processes, which took turns. Threads that start during a call count with it.

![seconds against chunks](scaling-chunks.svg)

${chunksTable(rows)}

${slopesTable(rows, growths)}

${predictionsText(rows, growths)}`,
);
