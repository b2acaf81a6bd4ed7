/**
 * How time and CPU time grow with the number of chunks, and what more cores would give. Computes only.
 *
 * The model: the main thread has a fixed cost per chunk, and the workers share the rest. So the time per chunk is
 * the largest of three: the main thread's CPU time, that of the others divided by the workers, and that of all
 * divided by the cores.
 */
import type { Measured } from './harness.ts';

/** A straight line: `fixed + perChunk * chunks`. Seconds. */
export interface Line {
  fixed: number;
  perChunk: number;
}

/** What one program takes at growing numbers of chunks. A line is undefined where its figures are not known. */
export interface Growth {
  wall: Line;
  cpu: Line;
  main?: Line;
  server: Line;
}

/** Fits a line by least squares. @returns undefined with fewer than two values of x. */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line | undefined {
  const n = points.length,
    mean = (axis: 0 | 1): number => points.reduce((sum, point) => sum + point[axis], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  if (n === 0 || spread === 0) return undefined;
  const perChunk = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / spread;
  return { fixed: my - perChunk * mx, perChunk };
}

/** Fits the lines of one program from its runs at each number of chunks. */
export function fitGrowth(
  measured: readonly { chunks: number; runs: readonly Measured[] }[],
): Growth | undefined {
  const line = (value: (run: Measured) => number | null | undefined): Line | undefined => {
    const points: [number, number][] = [];
    for (const { chunks, runs } of measured)
      for (const run of runs) {
        const y = value(run);
        if (typeof y === 'number') points.push([chunks, y]);
      }
    return fitLine(points);
  };
  const [wall, cpu, server] = [
    line((run) => run.wall_s),
    line((run) => run.cpu_s),
    line((run) => run.server_cpu_s),
  ];
  if (!wall || !cpu || !server) return undefined;
  return { wall, cpu, server, main: line((run) => run.main_cpu_s) };
}

/** What `cores` cores would give. */
export interface Prediction {
  cores: number;
  /** Seconds per chunk. */
  perChunk: number;
  limit: 'main thread' | 'workers' | 'cores';
}

/**
 * Predicts the time per chunk.
 *
 * @param workers Worker threads, which share what the main thread does not do. Infinity stands for as many as
 *   there are cores.
 * @param serverShares Whether the server runs on the same cores.
 */
export function predict(
  { cpu, main, server }: Growth,
  cores: number,
  workers: number,
  serverShares: boolean,
): Prediction {
  const held = main?.perChunk ?? 0,
    all = cpu.perChunk + (serverShares ? server.perChunk : 0);
  // A program of one thread has helpers, too: they compile and collect garbage on other cores.
  const theirs = workers === 0 ? 0 : (cpu.perChunk - held) / workers;
  const spread = Math.max(all / cores, theirs);
  return held >= spread
    ? { cores, perChunk: held, limit: 'main thread' }
    : { cores, perChunk: spread, limit: theirs > all / cores ? 'workers' : 'cores' };
}
