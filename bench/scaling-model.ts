/**
 * How time and CPU time grow with the number of chunks, and what more cores would give. Computes only.
 *
 * The model: the main thread has a fixed cost per chunk, and everything else of a chunk can run on any core. So
 * the time per chunk is the larger of the main thread's CPU time, and all CPU time divided by the cores.
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
  limit: 'main thread' | 'cores';
}

/**
 * Predicts the time per chunk.
 *
 * @param threads Threads of the program that can be busy at once.
 * @param serverShares Whether the server runs on the same cores.
 */
export function predict(
  { cpu, main, server }: Growth,
  cores: number,
  threads: number,
  serverShares: boolean,
): Prediction {
  const held = main?.perChunk ?? 0;
  // A program of one thread has helpers, too: they compile and collect garbage on other cores.
  const alone = threads === 1 && main ? cpu.perChunk / cores : cpu.perChunk / Math.min(cores, threads),
    shared = (cpu.perChunk + server.perChunk) / cores;
  const spread = serverShares ? Math.max(alone, shared) : alone;
  return held >= spread
    ? { cores, perChunk: held, limit: 'main thread' }
    : { cores, perChunk: spread, limit: 'cores' };
}
