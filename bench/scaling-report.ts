/** Writes the figures of scaling.ts as Markdown. */
import { median, type Measured } from './harness.ts';
import { predict, type Growth, type Line } from './scaling-model.ts';

/** The runs of one program at each number of chunks. */
export interface Scaled {
  name: string;
  /** Worker threads of the program. Infinity stands for as many as there are cores. */
  workers: number;
  measured: { chunks: number; runs: Measured[] }[];
}

const CORES = [1, 2, 4, 8, 16];

/** Returns seconds and CPU seconds of each program at each number of chunks. */
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
function limitText({ name, workers, measured }: Scaled, growth: Growth): string {
  const { main, wall } = growth,
    { chunks } = measured.at(-1)!;
  const { perChunk, limit } = predict(growth, 8, workers, false);
  const seconds = (Math.max(0, wall.fixed) + perChunk * chunks).toFixed(2);
  const most = main && Math.round(1 / main.perChunk).toLocaleString('en');
  const what = {
    'main thread': `the main thread: it takes ${ms(main)} ms per chunk, so at most ${most} chunks per second`,
    workers: `the number of workers, ${workers}`,
    cores: 'the number of cores',
  }[limit];
  const next =
    limit !== 'main thread' && main && main.perChunk > 1e-5
      ? ` With more of them, the main thread would limit at ${most} chunks per second.`
      : '';
  return `${name}: ${what}.${next} ${chunks.toLocaleString('en')} chunks would take ${seconds} s.`;
}

/** Returns what more cores would give, by the model of scaling-model.ts, and what then limits. */
export function predictionsText(rows: readonly Scaled[], growths: ReadonlyMap<string, Growth>): string {
  const known = rows.flatMap((row) => {
    const growth = growths.get(row.name);
    return growth ? [{ row, growth }] : [];
  });
  const cells = ({ row, growth }: (typeof known)[number], shares: boolean): string =>
    CORES.map((cores) => {
      const { perChunk, limit } = predict(growth, cores, row.workers, shares);
      return `${(1000 * perChunk).toFixed(2)}${limit === 'main thread' ? '*' : ''}`;
    }).join(' | ');
  const table = (shares: boolean): string =>
    `| program | ${CORES.map((cores) => `${cores} core${cores === 1 ? '' : 's'}`).join(' | ')} |
|---|${CORES.map(() => '--:|').join('')}
${known.map((each) => `| ${each.row.name} | ${cells(each, shares)} |`).join('\n')}`;
  return `## What more cores would give

Fitted, not measured. The time per chunk is the largest of three: the CPU time of the main thread, that of all other threads divided by the workers,
and that of all threads divided by the cores. \`*\` marks where the main thread limits. graphene-points without a number of workers, and TensorStore,
are taken to have as many threads as there are cores. A network, a disk or a memory bus that is too slow is not in these figures.

Milliseconds per chunk, the server on the same cores; compare the column of this machine with the slopes above:

${table(true)}

Milliseconds per chunk, the server elsewhere:

${table(false)}

What limits on eight cores, the server elsewhere:

${known.map(({ row, growth }) => `- ${limitText(row, growth)}`).join('\n')}
`;
}
