/** Writes the results of points.ts as Markdown tables and SVG plots. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, spread, type Measured } from './harness.ts';
import { plot, type Series } from './plot.ts';

/** The runs of one program in one case. */
export interface Row {
  volume: string;
  set: string;
  latencyMs: number;
  /** The value that the section varies: a number of points, or of reads in flight. */
  x?: number;
  /** Name of the program. */
  who: string;
  runs: Measured[];
}

/** All results of one section. */
export interface Section {
  /** Date, commit and machine. */
  taken: string;
  versions: string;
  note?: string;
  rows: Row[];
}

/** The results of each section, by its name. */
export type Results = Record<string, Section>;

const TITLES: Record<string, string> = {
  cold: 'Cold, over loopback HTTP',
  'chunk-size':
    'Chunks of 64 x 64 x 64 and 256 x 256 x 64, cold, over loopback HTTP: over-segmented labels, offset origin',
  'chunk-size-far': 'The same, far from the server',
  workers: 'The same, against the number of worker threads',
  scaling: 'Time against the number of points, on the same 512 chunks (cseg_gzip)',
  concurrency: 'Time against the reads in flight (cseg_gzip, u100k)',
  steady: 'Cold reads repeated in one process: the median of 9 more passes, without a cache',
  warm: 'Reads from memory, the median of 25 passes: graphene-points keeps encoded chunks (raw as compressed_segmentation), TensorStore decoded chunks',
  decoding:
    'Encodings that must be decoded: the floor fetches and decompresses; the C++ codecs decode the same chunks whole, on all cores, without fetching',
  cloudvolume: 'Clustered points beside CloudVolume',
  'cloudvolume-warm':
    'Clustered points again, both with 1 GB of LRU (CloudVolume: its second pass; graphene-points: the median of 9 more)',
  'cloudvolume-100k': '100,000 points beside CloudVolume',
};

const OURS = 'graphene-points';
/** Sections with one more table, which sets the programs side by side. */
const SUMMARIZED = new Set(['chunk-size', 'chunk-size-far', 'workers']);
const pointsOf = ({ set, x }: Row, section: string): number =>
  section === 'scaling' ? x! : Number(set.slice(1).replace('k', '000').replace('M', '000000'));
const figures = (runs: readonly Measured[], key: 'wall_s' | 'cpu_s' | 'peak_mb'): number[] =>
  runs.map((run) => run[key]);
const seconds = (runs: readonly Measured[]): number => median(figures(runs, 'wall_s'));
/**
 * Returns the peer's figure over ours, per round: ratios within a round hold when the machine's speed drifts.
 */
const ratios = (row: Row, ours: Row, key: 'wall_s' | 'cpu_s'): number[] =>
  row.runs.map((run, round) => run[key] / ours.runs[Math.min(round, ours.runs.length - 1)][key]);

function table(name: string, { rows }: Section): string {
  const varies = rows.some(({ x }) => x !== undefined) && name !== 'scaling';
  const lines = rows.map((row) => {
    const ours = rows.find(
      ({ who, volume, set, latencyMs, x }) =>
        who === OURS &&
        volume === row.volume &&
        set === row.set &&
        latencyMs === row.latencyMs &&
        x === row.x,
    )!;
    const { volume, latencyMs, who, runs } = row,
      points = pointsOf(row, name),
      { requests, bytes } = runs[0];
    return [
      volume,
      name === 'scaling' ? points.toLocaleString('en') : row.set,
      latencyMs,
      ...(varies ? [row.x] : []),
      who,
      runs.length,
      spread(figures(runs, 'wall_s'), 3),
      who === OURS ? '' : spread(ratios(row, ours, 'wall_s'), 2),
      Math.round(points / seconds(runs)).toLocaleString('en'),
      median(figures(runs, 'cpu_s')).toFixed(2),
      who === OURS ? '' : median(ratios(row, ours, 'cpu_s')).toFixed(2),
      requests ?? '',
      bytes === undefined ? '' : (bytes / 1e6).toFixed(1),
      runs[0].peak_mb > 0 ? median(figures(runs, 'peak_mb')).toFixed(0) : '',
    ].join(' | ');
  });
  return `| volume | points | latency ms | ${varies ? 'in flight | ' : ''}program | runs | seconds | times ours | points/s | CPU s | times ours | requests | MB | peak MB |
|---|---|--:|${varies ? '--:|' : ''}---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
${lines.map((line) => `| ${line} |`).join('\n')}`;
}

/**
 * Returns one line per case: the seconds and the CPU seconds of graphene-points, and the ratios of all other
 * programs. A program that did not run in a case has an empty cell.
 */
function summary({ rows }: Section): string {
  const others = [...new Set(rows.map(({ who }) => who))].filter((who) => who !== OURS);
  const lines = rows
    .filter(({ who }) => who === OURS)
    .map((ours) => {
      const cells = others.map((other) => {
        const row = rows.find(
          ({ who, volume, set, latencyMs }) =>
            who === other && volume === ours.volume && set === ours.set && latencyMs === ours.latencyMs,
        );
        return row ? median(ratios(row, ours, 'wall_s')).toFixed(2) : '';
      });
      const used = median(figures(ours.runs, 'cpu_s')),
        peak = median(figures(ours.runs, 'peak_mb'));
      return [
        ours.volume,
        ours.set,
        ours.latencyMs,
        seconds(ours.runs).toFixed(2),
        used.toFixed(2),
        peak.toFixed(0),
        ...cells,
      ];
    });
  return `The time of each program, divided by that of graphene-points in the same round. Below 1, the other is faster.

| volume | points | latency ms | ${OURS}, s | CPU s | peak MB | ${others.join(' | ')} |
|---|---|--:|--:|--:|--:|${others.map(() => '--:|').join('')}
${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}
`;
}

/** Groups rows into one plot line per name, in ascending order of x. */
function series(
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  value: (row: Row) => readonly [number, number],
): Series[] {
  const named = new Map<string, (readonly [number, number])[]>();
  for (const row of rows) named.set(nameOf(row), [...(named.get(nameOf(row)) ?? []), value(row)]);
  return [...named].map(([name, points]) => ({ name, points: points.sort(([a], [b]) => a - b) }));
}

/**
 * Describes how time and memory grow with the number of points, from 1e4 points on; slope 1 is proportional.
 */
function describeGrowth(rows: readonly Row[]): string {
  const ours = rows.filter(({ who, x }) => who === OURS && x! >= 1e4);
  if (ours.length < 2) return '';
  const [first, last] = [ours[0], ours.at(-1)!];
  const { before_mb: before = 0, peak_mb: peak } = last.runs[0];
  const perPoint = ((peak - before) * 2 ** 20) / last.x! - 9;
  return `\nFrom ${first.x!.toLocaleString('en')} to ${last.x!.toLocaleString('en')} points, the time of graphene-points grows ${(seconds(last.runs) / seconds(first.runs)).toFixed(1)} times (slope ${(Math.log10(seconds(last.runs) / seconds(first.runs)) / Math.log10(last.x! / first.x!)).toFixed(2)} on log-log axes). At the largest number of points, memory grows by ${perPoint.toFixed(0)} bytes per point beyond the input and output arrays.\n`;
}

/** Writes `NAME.md` and its plots, `NAME-PLOT.svg`, to a folder. */
export function report(results: Results, folder: string, name: string): void {
  const parts = Object.keys(TITLES).filter((section) => results[section]?.rows.length > 0);
  const plots: Record<string, string> = {};
  const { scaling, concurrency, cold } = results;
  if (scaling)
    plots.scaling = plot({
      title: 'cold, 512 chunks of compressed_segmentation',
      x: 'points',
      y: 'seconds',
      series: series(
        scaling.rows,
        ({ who }) => who,
        (row) => [row.x!, seconds(row.runs)],
      ),
    });
  if (concurrency)
    plots.concurrency = plot({
      title: '100,000 points, 512 chunks',
      x: 'reads in flight',
      y: 'seconds',
      series: series(
        concurrency.rows,
        ({ latencyMs }) => `${latencyMs} ms per request`,
        (row) => [row.x!, seconds(row.runs)],
      ),
    });
  for (const volume of ['cseg_gzip', 'raw_gzip']) {
    const rows =
      cold?.rows.filter((row) => row.volume === volume && row.latencyMs === 0 && row.set.startsWith('u')) ??
      [];
    if (new Set(rows.map(({ set }) => set)).size > 1)
      plots[volume] = plot({
        title: `${volume}, cold, uniform points`,
        x: 'points',
        y: 'points/s',
        series: series(
          rows,
          ({ who }) => who,
          (row) => [pointsOf(row, 'cold'), pointsOf(row, 'cold') / seconds(row.runs)],
        ),
      });
  }
  const files = Object.entries(plots).map(([plotted, svg]) => {
    writeFileSync(join(folder, `${name}-${plotted}.svg`), svg);
    return `![${plotted}](${name}-${plotted}.svg)`;
  });
  const text = parts.map((section) => {
    const { taken, versions, note, rows } = results[section];
    return `## ${TITLES[section]}\n\n${taken} ${versions}${note ? ` ${note}` : ''}\n\n${SUMMARIZED.has(section) ? `${summary(results[section])}\n` : ''}${table(section, results[section])}\n${section === 'scaling' ? describeGrowth(rows) : ''}`;
  });
  writeFileSync(
    join(folder, `${name}.md`),
    `# Points

Median (least–most). "times ours" is the program's figure over that of graphene-points in the same round. Requests and MB are what the server
counted, including those that open the volume. Peak MB is that of the whole process: Node starts with about 85 MB here, TensorStore's Python with
60, CloudVolume's with 105. Sets of points: u is uniform, a lies along arbours (walks of 1,000 points that branch), c along random walks of 250
points (as synapses along neurites), n along a single walk.

${files.join('\n')}

${text.join('\n')}`,
  );
}
