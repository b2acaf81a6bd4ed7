/**
 * Measures the start of the library in one process, and prints the wall time and the CPU time of it as JSON, in milliseconds. What is
 * measured is named by `--of`: the import, the first call on an open volume, or all of it (import, opening, the call), without the start of Node.
 *
 *   node bench/measure-start.mjs --dist DIST --of import|call|all [--volume URL --points JSON]
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: args } = parseArgs({
  options: {
    dist: { type: 'string' },
    of: { type: 'string' },
    volume: { type: 'string' },
    points: { type: 'string' },
  },
});
const clock = () => {
  const cpu = process.cpuUsage(),
    began = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs: performance.now() - began, cpuMs: (user + system) / 1e3 };
  };
};
const whole = clock();
const { openPrecomputed } = await import(pathToFileURL(`${args.dist}/lib/index.js`).href);
let measured = whole();
if (args.of !== 'import') {
  const volume = await openPrecomputed(args.volume),
    points = JSON.parse(args.points),
    call = clock();
  const { stats } = await volume.scatteredPoints(points);
  measured = (args.of === 'all' ? whole : call)();
  if (stats.chunks !== points.length) throw new Error('points were not read');
  await volume.close();
}
console.log(JSON.stringify(measured));
