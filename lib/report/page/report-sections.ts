/** The sections of a report. */
import { statusCode, statusText } from '../../points/status.ts';
import type { ReportSummary } from '../model/summarize-report.ts';
import { SERIES } from '../model/run-timeline.ts';
import { byteText, duration, moment, percent, rate, short, whole } from './figures.ts';
import {
  type Chart,
  type DrawSvg,
  latencyChart,
  PROJECTIONS,
  projectionChart,
  timelineChart,
} from './report-charts.ts';
import { bar, facts, table } from './report-tables.ts';
import { html, type Html, type HtmlValue } from './safe-html.ts';
import { markOf, SHAPES } from './status-marks.ts';

const section = (id: string, title: string, ...content: HtmlValue[]): Html =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`;

const figure = ({ svg }: Chart, name: string, about = ''): Html =>
  html`<figure>
    <figcaption>${name} <span>${about}</span></figcaption>
    ${svg}
  </figure>`;

const mono = (text: string): Html => html`<span class="mono">${text}</span>`;
const N = (name: string): { name: string; kind: 'number' } => ({ name, kind: 'number' });
const W = (name: string): { name: string; kind: 'wide' } => ({ name, kind: 'wide' });

/** What was asked. */
export function askedSection({
  facts: asked,
  counts,
  runs,
  writtenMs,
  tasks,
  isComplete,
}: ReportSummary): Html {
  const [main, ...others] = asked.volumes,
    { timestamps } = counts ?? {};
  const timestamp = timestamps
    ? timestamps.count > 1
      ? `${timestamps.first} to ${timestamps.last}, ${whole(timestamps.count)} timestamps`
      : timestamps.first
    : undefined;
  const settled =
    timestamps && main.settled !== undefined
      ? Date.parse(timestamps.last) <= Date.parse(main.settled)
        ? 'yes: no edit can appear at this timestamp any more'
        : `no: when the volume was opened, roots were final up to ${main.settled} only, so that a later look-up may give others`
      : undefined;
  const first = runs[0],
    last = runs[runs.length - 1];
  return section(
    'asked',
    'What was asked',
    facts([
      ['Cloud path', mono(main.path)],
      [
        'Volume',
        `${main.what}${main.resolution ? `; mip ${main.mip}, ${main.resolution.map(short).join(' × ')} nm per voxel` : ''}`,
      ],
      ['Datastack', main.datastack],
      [
        'Graph server',
        main.graph &&
          html`${mono(main.graph.server)}, API versions ${main.graph.apiVersions.join(', ') || 'unknown'},
          ${main.graph.layers} layers${main.graph.supervoxelsSplit ? ', supervoxels can split' : ''}`,
      ],
      ['OCDBT generation', main.generation === undefined ? undefined : String(main.generation)],
      ...others.map(
        ({ name, path, what, generation }) =>
          [
            `Also: ${name}`,
            html`${mono(path)}, ${what}${generation === undefined ? '' : `, OCDBT generation ${generation}`}`,
          ] as const,
      ),
      ['Unit of the points', asked.unit && `${asked.unit.map(short).join(' × ')} nm`],
      ['Timestamp asked', asked.timestampAsked],
      ['Timestamp of the roots', timestamp],
      ['Refreshed from', asked.refreshedFrom],
      ['Settled', settled],
      [
        asked.inputs.length === 1 ? 'Input' : 'Inputs',
        asked.inputs.slice(0, 20).map((name, k) => html`${k > 0 && ', '}${mono(name)}`),
      ],
      ['Output', mono(isComplete ? asked.output : `${asked.output} (not written)`)],
      ['Job', asked.folder && mono(asked.folder)],
      [
        'Tasks',
        tasks &&
          `${whole(tasks.done)} of ${whole(tasks.of)} done, ${duration(tasks.seconds * 1000)} of work in all runs`,
      ],
      ...asked.asked.map(([name, value]) => [name, mono(value)] as const),
      ['Program', `${last.program}, Node ${last.node}, ${last.platform}`],
      ['Begun', moment(first.startMs)],
      ['Report written', moment(writtenMs)],
    ]),
  );
}

/** How many points have each status. */
export function statusSection(summary: ReportSummary): Html {
  const { statuses, facts: asked, isComplete } = summary;
  return section(
    'statuses',
    'Points by status',
    !isComplete &&
      html`<p class="note">
        The table is not complete: these are the points that were looked up so far. Rows without a valid
        position are not among them.
      </p>`,
    statuses.map((own, k) => {
      const all = Object.values(own).reduce((sum, count) => sum + count, 0),
        name = asked.volumes[k]?.name ?? '';
      return table(
        html`${name === '' ? (statuses.length > 1 ? 'Main volume' : 'Status of each point') : name}
          <span>${whole(all)} ${all === 1 ? 'point' : 'points'}</span>`,
        ['Status', N('Points'), N('Part'), { name: 'Share of all points', kind: 'bar' }],
        Object.entries(own)
          .sort(([, a], [, b]) => b - a)
          .map(([text, count]) => [
            html`${key(statusCode(text) ?? 255)}${text}`,
            whole(count),
            percent(count, all),
            bar(count, all, markOf(statusCode(text) ?? 255).variable),
          ]),
      );
    }),
  );
}

const key = (code: number): Html => {
  const { symbol, variable } = markOf(code);
  return html`<svg class="key" viewBox="0 0 12 12" aria-hidden="true">
    <path d="${SHAPES[symbol]}" fill="var(${variable})" />
  </svg>`;
};

/** What is shown over time. What is rare is counted: its rate would depend on the length of the interval. */
const SHOWN: readonly { name: (typeof SERIES)[number]; title: string; unit?: string; scale?: number }[] = [
  { name: 'points', title: 'Points', unit: 'per second' },
  { name: 'chunks', title: 'Chunks', unit: 'per second' },
  { name: 'bytes', title: 'Data from the store', unit: 'MB per second', scale: 1e6 },
  { name: 'rootRequests', title: 'Root requests' },
  { name: 'retries', title: 'Retries' },
];
const TABLE_ROWS = 8;

/** The throughput over time. */
export function throughputSection({ timeline, runs }: ReportSummary, drawSvg: DrawSvg): Html {
  const shown = SHOWN.filter(({ name }) => timeline.counts[name].some((count) => count > 0));
  const { widthMs, counts, activeMs, gaps } = timeline;
  if (shown.length === 0)
    return section('throughput', 'Throughput over time', html`<p class="none">Nothing was read.</p>`);
  const length = counts.points.length,
    step = Math.ceil(length / TABLE_ROWS);
  const rows = Array.from({ length: Math.ceil(length / step) }, (_, row) => {
    const from = row * step,
      end = Math.min(length, from + step),
      seconds = (Math.min(activeMs, end * widthMs) - from * widthMs) / 1000;
    return [
      `${duration(from * widthMs)} to ${duration(Math.min(activeMs, end * widthMs))}`,
      ...shown.map(({ name, unit, scale = 1 }) => {
        const sum = counts[name].slice(from, end).reduce((total, count) => total + count, 0);
        if (unit === undefined) return whole(sum);
        return seconds > 0 ? rate(sum / scale / seconds) : '';
      }),
    ];
  });
  return section(
    'throughput',
    'Throughput over time',
    runs.length > 1 &&
      html`<p class="note">
        Time while a run was at work: ${duration(activeMs)} in ${runs.length}
        runs.${gaps.length > 0 && ' A dashed line is a pause between runs.'}
      </p>`,
    html`<div class="two">
      ${shown.map(({ name, title, unit, scale = 1 }) => {
        const about = unit ?? `in each ${duration(widthMs)}`,
          perInterval = unit === undefined ? 1 : widthMs / 1000;
        return figure(
          timelineChart(
            drawSvg,
            timeline,
            { values: counts[name].map((count) => count / scale / perInterval), isCount: unit === undefined },
            `${title} ${about} over time; the table below has the same figures`,
          ),
          title,
          about,
        );
      })}
    </div>`,
    html`<div class="gap">
      ${table(
        html`In numbers <span>for ${rows.length} ${rows.length === 1 ? 'part' : 'parts'} of the time</span>`,
        ['Time', ...shown.map(({ title, unit }) => N(unit === undefined ? title : `${title}, ${unit}`))],
        rows,
      )}
    </div>`,
  );
}

/** How long chunks and root requests took. */
export function latencySection({ latencies }: ReportSummary, drawSvg: DrawSvg): Html {
  if (latencies.length === 0)
    return section('latencies', 'Latencies', html`<p class="none">No request was made.</p>`);
  return section(
    'latencies',
    'Latencies',
    html`<p class="note">
      A chunk takes from the start of the read that it was part of until it is known: with waiting, retries
      and the other chunks of the same read. A root request is one attempt. Percentiles are within 1 % of the
      true ones.
    </p>`,
    html`<div class="two">
      ${latencies.map((one) =>
        figure(
          latencyChart(drawSvg, one, `${one.name}: number by duration; the table below has the percentiles`),
          one.name,
          'number by duration',
        ),
      )}
    </div>`,
    html`<div class="gap">
      ${table(
        'Durations',
        ['Work', N('Count'), N('Mean'), N('p50'), N('p90'), N('p99'), N('Longest')],
        latencies.map(({ name, count, mean, p50, p90, p99, max }) => [
          name,
          whole(count),
          ...[mean, p50, p90, p99, max].map(duration),
        ]),
      )}
    </div>`,
  );
}

/** What was requested, and what came from caches. */
export function requestSection({ counts, chunks, roots, batches, hosts, faults }: ReportSummary): Html {
  const fromMemory = counts?.cacheHits,
    read = chunks.store + chunks.missing + chunks.disk + (fromMemory ?? 0);
  const rows: (readonly [string, string, string])[] = [
    ['Chunks from the store', whole(chunks.store), byteText(chunks.bytes)],
    ['Chunks that are not stored', whole(chunks.missing), ''],
    ['Chunks from the disk cache', whole(chunks.disk), byteText(chunks.diskBytes)],
    ...(fromMemory === undefined
      ? []
      : ([['Chunks from the memory cache, or a read in flight', whole(fromMemory), '']] as const)),
    ['Chunks that failed', whole(chunks.failed), ''],
    ...(counts ? ([['Storage requests', whole(counts.requests), byteText(counts.bytes)]] as const) : []),
    ['Root requests', whole(roots.requests), byteText(roots.bytes)],
    ['IDs in root requests', whole(roots.ids), ''],
    ['Checks whether roots are the latest, among them', whole(roots.checks), ''],
    ['Look-ups of roots that shared a request', whole(batches.calls), ''],
    ...(counts
      ? ([
          ['Distinct supervoxels, summed over batches', whole(counts.distinctSupervoxels), ''],
          ['Roots from the root cache', whole(counts.rootCacheHits), ''],
        ] as const)
      : []),
  ];
  const retried = hosts.some(({ retries, failed, rootFailures }) => retries + failed + rootFailures > 0);
  return section(
    'requests',
    'Requests, caches and faults',
    html`<div class="two">
      ${table(
        html`What was read
          <span
            >${read > 0 && fromMemory !== undefined && `${percent(chunks.disk + fromMemory, read)} of the chunks from caches`}</span
          >`,
        ['What', N('Count'), N('Bytes')],
        rows.filter(([, count]) => count !== '0'),
      )}
      ${
        faults.length === 0
          ? html`<div>
              ${table(
                html`Faults`,
                ['Kind', N('Count')],
                [
                  ['Chunks and root requests that failed', '0'],
                  ['Retries', whole(hosts.reduce((sum, one) => sum + one.retries, 0))],
                ],
              )}
            </div>`
          : table(
              html`Faults <span>after all retries</span>`,
              ['Code', 'Of', N('Count')],
              faults
                .slice(0, 12)
                .map(({ what, host, code, count }) => [
                  mono(code),
                  html`${what === 'chunk' ? 'chunks' : 'root requests'} of ${host}`,
                  whole(count),
                ]),
            )
      }
    </div>`,
    html`<div class="gap">
      ${table(
        html`By host${retried && html` <span>a retry waits before it asks again</span>`}`,
        [
          'Host',
          N('Chunks'),
          N('Not stored'),
          N('Failed'),
          N('Root requests'),
          N('Failed'),
          N('Retries'),
          N('Waited'),
        ],
        hosts.map((one) => [
          html`<span class="mono">${one.host}</span>`,
          whole(one.read),
          whole(one.missing),
          whole(one.failed),
          whole(one.rootRequests),
          whole(one.rootFailures),
          whole(one.retries),
          one.retries > 0 ? duration(one.waitedMs) : '',
        ]),
      )}
    </div>`,
    faults.length > 0 &&
      html`<div class="gap">
        ${table(
          html`Messages of faults <span>the first of each kind</span>`,
          ['Code', W('Message')],
          faults.slice(0, 12).map(({ code, message }) => [mono(code), message]),
        )}
      </div>`,
  );
}

/** The slowest chunks. */
export const slowestSection = ({ slowest }: ReportSummary): Html | undefined =>
  slowest.length === 0
    ? undefined
    : section(
        'slowest',
        'Slowest chunks',
        table(
          html`The ${slowest.length} that took longest <span>see Latencies for what is measured</span>`,
          [W('Chunk'), N('Took'), N('Bytes'), 'Outcome'],
          slowest.map(({ url, ms, bytes, outcome, from }) => [
            mono(url),
            duration(ms),
            bytes > 0 ? byteText(bytes) : '',
            from === 'cache' ? `${outcome} from the disk cache` : outcome,
          ]),
        ),
      );

/** Where the points are. */
export function spaceSection({ answers, facts: asked }: ReportSummary, drawSvg: DrawSvg): Html | undefined {
  const { samples, bounds } = answers;
  if (!bounds || samples.length === 0) return undefined;
  const unit = asked.unit ?? [1, 1, 1];
  return section(
    'space',
    'Where the points are',
    html`<p class="note">
      Coordinates are those of the input. Lengths on all axes have one scale in nanometres, unless an axis is
      too short to be seen; y and z grow downwards in the views from the front and from the side, as in a
      viewer. Each view shows a sample, drawn at random within each status.
    </p>`,
    html`<div class="views">
      ${PROJECTIONS.map((axes) =>
        figure(
          projectionChart(
            drawSvg,
            answers,
            axes,
            unit,
            `Sampled points, ${axes[0]} across and ${axes[1]} down, by status; the table below has the numbers`,
          ),
          `${axes[0]}${axes[1]}`,
        ),
      )}
    </div>`,
    html`<div class="two gap">
      ${table(
        'Points in the views',
        ['Status', N('Shown'), N('Of')],
        samples
          .toSorted((a, b) => b.seen - a.seen)
          .map(({ code, seen, points }) => [
            html`${key(code)}${statusText(code)}`,
            whole(points.length / 3),
            whole(seen),
          ]),
      )}
      ${table(
        'Bounds of all points',
        ['Axis', N('Lowest'), N('Highest')],
        ['x', 'y', 'z'].map((axis, k) => [axis, number(bounds.min[k]), number(bounds.max[k])]),
      )}
    </div>`,
  );
}

const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 3 });

/** The roots with the most points. */
export function rootSection({ answers: { roots } }: ReportSummary): Html | undefined {
  const { top, points, distinct, isExact } = roots;
  if (top.length === 0) return undefined;
  return section(
    'roots',
    'Roots with the most points',
    html`<p class="note">
      ${
        isExact
          ? `${whole(points)} points have a root; there are ${whole(distinct)} distinct roots. The counts are exact.`
          : `${whole(points)} points have a root. There are more distinct roots than the ${whole(2 ** 16)} that are counted, so that each count is a range: the true one is in it.`
      }
    </p>`,
    table(
      html`The ${top.length} biggest`,
      [
        'Root ID',
        ...(isExact ? [N('Points')] : [N('At least'), N('At most')]),
        N('Part'),
        { name: 'Share of points with a root', kind: 'bar' as const },
      ],
      top.map(({ id, atLeast, atMost }) => [
        mono(id),
        ...(isExact ? [whole(atLeast)] : [whole(atLeast), whole(atMost)]),
        isExact ? percent(atLeast, points) : `≤ ${percent(atMost, points)}`,
        bar(atLeast, points),
      ]),
    ),
  );
}

/** Warnings, and points without an answer. */
export function troubleSection({ warnings, failures, answers }: ReportSummary): Html {
  const shown = failures ?? {
    header: ['x', 'y', 'z', 'volume', 'status', 'reason'],
    rows: answers.failures.map(({ point, volume, status, reason }) => [
      ...point.map(number),
      volume,
      status,
      reason,
    ]),
  };
  return section(
    'trouble',
    'Warnings and failures',
    warnings.texts.length === 0
      ? html`<p class="none">No warning.</p>`
      : table(
          html`Warnings
            <span
              >${whole(warnings.total)} in
              all${warnings.total > warnings.texts.length && ', the same ones once'}</span
            >`,
          [W('Warning'), N('Times')],
          warnings.texts.map(({ text, count }) => [text, whole(count)]),
        ),
    html`<div class="gap">
      ${
        shown.rows.length === 0
          ? html`<p class="none">No point needs attention.</p>`
          : table(
              html`Points that need attention
                <span
                  >the first
                  ${shown.rows.length}${'file' in shown && shown.file !== undefined && html`; all are in ${mono(shown.file)}`}</span
                >`,
              shown.header.map((name, k) => (k === shown.header.length - 1 ? W(name) : name)),
              shown.rows,
            )
      }
    </div>`,
  );
}

/** The runs of a job. */
export const runSection = ({ runs }: ReportSummary): Html | undefined =>
  runs.length < 2
    ? undefined
    : section(
        'runs',
        'Runs',
        table(
          html`Runs of this job <span>those that the folder has a record of</span>`,
          [
            'Begun',
            'Step',
            'Outcome',
            N('Took'),
            N('Chunks'),
            N('Data'),
            N('Root requests'),
            N('Retries'),
            N('Memory'),
          ],
          runs.map((run) => [
            moment(run.startMs),
            run.step,
            run.outcome === 'running' ? 'killed, or still at work' : run.outcome,
            duration(run.ms),
            whole(run.chunks.store + run.chunks.missing + run.chunks.disk),
            byteText(run.chunks.bytes),
            whole(run.roots.requests),
            whole(run.hosts.reduce((sum, { retries }) => sum + retries, 0)),
            byteText(run.peakMemoryBytes),
          ]),
        ),
      );
