/**
 * Writes the CPU time and the peak memory of a process to the file that GRAPHENE_BENCH_USAGE names, when the process exits.
 *
 *   GRAPHENE_BENCH_USAGE=FILE node --import ./bench/report-usage.mjs PROGRAM
 */
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.GRAPHENE_BENCH_USAGE;
if (isMainThread && file)
  process.once('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    writeFileSync(
      file,
      JSON.stringify({ cpu_s: (userCPUTime + systemCPUTime) / 1e6, peak_mb: Math.round(maxRSS / 1024) }),
    );
  });
