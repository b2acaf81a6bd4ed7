/**
 * Reads points of the volumes of peers/make_images.py with graphene-points:
 *   node bench/measure-images.mjs FOLDER ENCODING LRU_BYTES COUNT [CHUNKS]
 * With a COUNT of 1, 6 points are read one by one; the time of the first and the median of the others count. Prints
 * one JSON line. jxl may differ by 1, since its decoder is another build of libjxl; all else by nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPrecomputed } from 'graphene-points';

const [folder, encoding, lruBytes, count, chunks = '64'] = process.argv.slice(2),
  isSingle = count === '1',
  total = isSingle ? 6 : Number(count);
const floats = (path) => new Float64Array(new Uint8Array(readFileSync(path)).buffer);
const all = floats(join(folder, 'points.f64')),
  allValues = floats(join(folder, encoding, 'values.f64'));
// The first chunks are those with the smallest x.
const chosen = [...allValues.keys()].filter((k) => all[3 * k] < 8 * Number(chunks)).slice(0, total),
  points = Float64Array.from(chosen.flatMap((k) => [all[3 * k], all[3 * k + 1], all[3 * k + 2]])),
  truth = Float64Array.from(chosen, (k) => allValues[k]);
const volume = await openPrecomputed(join(folder, encoding), { lruBytes: Number(lruBytes) });

const values = [],
  times = [];
for (let from = 0; from < total; from += isSingle ? 1 : total) {
  const some = points.slice(3 * from, isSingle ? 3 * from + 3 : undefined),
    began = performance.now();
  const result = await volume.scatteredPoints(some);
  times.push((performance.now() - began) / 1000);
  for (const value of result.values) values.push(value);
}
const tolerance = encoding === 'jxl' ? 1 : 0,
  wrong = truth.reduce((sum, value, k) => sum + (Math.abs(value - values[k]) > tolerance ? 1 : 0), 0);
const later = isSingle ? times.slice(1).sort((a, b) => a - b)[2] : undefined;
console.log(JSON.stringify({ seconds: times[0], later, wrong }));
await volume.close();
