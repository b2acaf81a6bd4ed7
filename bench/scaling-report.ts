/** Writes the figures of scaling.ts as Markdown. */
import { median, type Measured } from './harness.ts';
import { predict, type Growth, type Line } from './scaling-model.ts';

/** The runs of one program at each number of chunks. */
export interface Scaled {
  name: string;
  /** Threads that the program can keep busy at once. */
  threads: number;
  measured: { chunks: number; runs: Measured[] }[];
}

const CORES = [1, 2, 4, 8, 16];

/** Returns Seconds and CPU seconds of each program at each number of chunks. */
export function chunksTable(rows: readonly Scaled[]): string {
  const counts = rows[0].measured.map(({ chunks }) => chunks);
  const line = ({ name, measured }: Scaled): string =>
    `| ${name} | ${measured
      .map(({ runs }) => {
        const middle = (key: 'wall_s' | 'cpu_s'): string => median(runs.map((run) => run[key])).toFixed(2);
        return `${middle('wall_s')} (${middle('cpu_s')})`;
      })
      .join(' | ')} |`;
  return `## Seconds (CPU seconds) against the number of chunks

| program | ${counts.map((count) => count.toLocaleString('en')).join(' | ')} |
|---|${counts.map(() => '--:|').join('')}
${rows.map(line).join('\n')}`;
}

const ms = (line: Line | undefined, digits = 2): string =>
  line ? (1000 * line.perChunk).toFixed(digits) : '–';

/** Returns the slopes: milliseconds per chunk, and what a call costs besides. */
export function slopesTable(rows: readonly Scaled[], growths: ReadonlyMap<string, Growth>): string {
  const lines = rows.flatMap(({ name }) => {
    const growth = growths.get(name);
    if (!growth) return [];
    const { wall, cpu, main, server } = growth;
    return [
      `| ${name} | ${ms(wall)} | ${ms(cpu)} | ${ms(main)} | ${ms(server)} | ${(1000 * wall.fixed).toFixed(0)} |`,
    ];
  });
  return `## Slopes

Lines fitted by least squares. "Main thread" is what its own thread spends of the program's CPU time; for the floor with workers it is nearly
nothing. "Fixed" is the time that the line gives for no chunks.

| program | ms per chunk | CPU ms per chunk | main thread | server | fixed ms |
|---|--:|--:|--:|--:|--:|
${lines.join('\n')}`;
}

/** Says what limits a program on eight cores, and how long the most chunks would then take. */
function limitText({ name, threads, measured }: Scaled, growth: Growth): string {
  const { cpu, main, wall } = growth,
    { chunks } = measured.at(-1)!;
  const { perChunk, limit } = predict(growth, 8, threads, false);
  const then = `${chunks.toLocaleString('en')} chunks would take ${(Math.max(0, wall.fixed) + perChunk * chunks).toFixed(2)} s on eight cores.`;
  if (!main) return `${name}: the cores. Its main thread is not known. ${then}`;
  if (threads === 1)
    return `${name}: its one thread, at ${ms(main)} ms per chunk. More cores help only the server. ${then}`;
  const enough = Math.floor(cpu.perChunk / main.perChunk);
  const share = `Its main thread takes ${ms(main, 3)} ms of CPU per chunk, and would limit beyond ${enough.toLocaleString('en')} threads.`;
  if (limit === 'main thread')
    return `${name}: its main thread, at ${ms(main)} ms per chunk: ${Math.round(1 / main.perChunk).toLocaleString('en')} chunks per second. ${then}`;
  return `${name}: ${threads < 8 ? `its ${threads} threads` : 'the cores'}. ${share} ${then}`;
}

/** Returns what more cores would give, by the model of scaling-model.ts, and what then limits. */
export function predictionsText(rows: readonly Scaled[], growths: ReadonlyMap<string, Growth>): string {
  const known = rows.flatMap((row) => {
    const growth = growths.get(row.name);
    return growth ? [{ row, growth }] : [];
  });
  const cells = ({ row, growth }: (typeof known)[number], shares: boolean): string =>
    CORES.map((cores) => {
      const { perChunk, limit } = predict(growth, cores, row.threads, shares);
      return `${(1000 * perChunk).toFixed(2)}${limit === 'main thread' ? '*' : ''}`;
    }).join(' | ');
  const table = (shares: boolean): string =>
    `| program | ${CORES.map((cores) => `${cores} core${cores === 1 ? '' : 's'}`).join(' | ')} |
|---|${CORES.map(() => '--:|').join('')}
${known.map((each) => `| ${each.row.name} | ${cells(each, shares)} |`).join('\n')}`;
  return `## What more cores would give

Fitted, not measured. The time per chunk is the larger of two: the CPU time of the main thread, which no other core can take over, and the CPU time
of all threads divided by the cores that they can use. Without a number of workers, as many threads as cores are assumed. \`*\` marks where the main
thread limits. A network, a disk or a memory bus that is too slow is not in these figures.

Milliseconds per chunk, the server on the same cores; compare the column of this machine with the slopes above:

${table(true)}

Milliseconds per chunk, the server elsewhere:

${table(false)}

What limits then:

${known.map(({ row, growth }) => `- ${limitText(row, growth)}`).join('\n')}
`;
}
