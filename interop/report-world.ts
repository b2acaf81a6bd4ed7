/** A small volume with a graph, slow and unreliable servers, and a table of points: what a report has something to say about. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vec3 } from '../lib/base/vec3.ts';
import { buildWorld, type World } from '../mocks/world.ts';

const SIZE: Vec3 = [256, 224, 96];

/** Neurites along x of different widths, whose number follows y and z; between them there is background. */
const labelOf = (x: number, y: number, z: number): bigint => {
  const bent = y + Math.round(14 * Math.sin(x / 40) + z / 6),
    row = Math.floor(bent / 9),
    gap = (bent * 7 + row) % 19;
  return gap < 3 ? 0n : BigInt(1 + Math.floor(Math.sqrt(Math.abs(row) * 3)) + 40 * Math.floor(z / 48));
};

/** Builds the world. Its servers fail now and then, and one chunk is damaged for good. */
export function buildReportWorld(): World {
  const world = buildWorld({ labels: labelOf, size: SIZE, chunkSize: [32, 32, 32], resolution: [8, 8, 40] });
  world.bucket.faults.push(
    { match: /\/64-96_32-64_0-32$/, status: 500 },
    { match: /\/\d+-\d+_/, probability: 0.04, seed: 7, status: 503, headers: { 'retry-after': '0' } },
    { match: /\/\d+-\d+_/, probability: 0.1, seed: 3, delayMs: 60 },
    { match: /\/\d+-\d+_/, probability: 0.35, seed: 11, delayMs: 14 },
  );
  world.graph.faults.push({ match: /roots_binary/, times: 1, status: 503, headers: { 'retry-after': '0' } });
  return world;
}

/** Writes a table of points: most are in the volume, some are not, and some cells hold no point. */
export function writeReportPoints(folder: string, count: number): string {
  const rows = ['id,x,y,z\n'];
  let state = 12345;
  const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;
  for (let k = 0; k < count; k++) {
    const spread = random() + random() + random();
    const point = [
      Math.floor(random() * SIZE[0] * 1.004),
      Math.floor((spread / 3) * SIZE[1]),
      Math.floor(random() * SIZE[2]),
    ];
    rows.push(`${k},${k % 997 === 5 ? ',,' : k % 1499 === 7 ? 'soma,1,2' : point.join(',')}\n`);
  }
  const path = join(folder, 'synapses.csv');
  writeFileSync(path, rows.join(''));
  return path;
}
