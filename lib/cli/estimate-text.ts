/** Formats the estimate of `--dry-run` for people. */
import { redactSecrets } from '../base/secret-redaction.ts';
import type { LookupEstimate, VolumeEstimate } from '../jobs/estimate-types.ts';
import { formatSeconds } from './progress-meter.ts';
import { stripControls } from './report.ts';

const number = (n: number): string => n.toLocaleString('en-US');
const count = (n: number, what: string): string => `${number(n)} ${what}${n === 1 ? '' : 's'}`;

/** Formats an estimate as lines. */
export function estimateText({ rows, points, volumes, total, assumptions }: LookupEstimate): string {
  const { chunks, requests, bytes, rootRequestsAtMost, seconds } = total,
    hasRoots = volumes.some(({ roots }) => roots !== null);
  const lines = [
    'dry run: nothing is looked up or written',
    `table: ${count(rows, 'row')}, ${count(points, 'point')}`,
    ...volumes.flatMap(linesOf),
    ...(volumes.length > 1
      ? [`all volumes: ${count(chunks, 'chunk')}, about ${count(requests, 'request')}, ${bytesText(bytes)}`]
      : []),
    ...(hasRoots && volumes.length > 1 ? [`all roots: ${rootRequestsText(rootRequestsAtMost)}`] : []),
    `time: ${seconds === null ? 'unknown' : `about ${formatSeconds(seconds)}`}${hasRoots ? ', and the root requests' : ''}`,
    'assumed:',
    ...assumptions.map((line) => `  - ${line}`),
  ];
  return lines.map((line) => `${stripControls(redactSecrets(line))}\n`).join('');
}

function linesOf(volume: VolumeEstimate): string[] {
  const { name, url, inside, statuses, chunks, chunksAreEstimated, sample, requests, bytes, roots } = volume,
    { stored, missing, cached, failed, meanBytes, meanMs, atOnce, errors } = sample,
    isUpper = requests > chunks;
  const outside = Object.entries(statuses).map(([status, points]) => `, ${number(points)} ${status}`);
  const parts = [
    [stored, 'stored'],
    [cached, 'in the disk cache'],
    [missing, 'not stored'],
    [failed, 'failed'],
  ] as const;
  const sampled = parts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`);
  return [
    `${name === null ? 'volume' : `volume ${name}`}: ${url}`,
    `  points: ${number(inside)} inside${outside.join('')}`,
    `  chunks: ${chunksAreEstimated ? 'about ' : ''}${number(chunks)}`,
    ...(sampled.length > 0
      ? [
          `  sample: ${sampled.join(', ')}; ${meanBytes === null ? 'size unknown' : `on average ${count(Math.round(meanBytes), 'byte')}`}` +
            `${meanMs === null ? '' : ` and ${meanMs.toFixed(1)} ms`}, ${atOnce} at once; ` +
            `the sample cost ${count(sample.requests, 'request')} and ${count(sample.bytes, 'byte')}`,
        ]
      : []),
    ...errors.map((error) => `  failed: ${error}`),
    `  requests: ${isUpper ? 'at most' : 'about'} ${number(requests)} for chunks${isUpper ? ' and indices' : ''}`,
    `  egress: ${bytesText(bytes)}`,
    ...(roots
      ? [
          `  roots: ${rootRequestsText(roots.requestsAtMost)}; the number of distinct supervoxels is unknown, at most ${number(roots.distinctSupervoxelsAtMost)}`,
        ]
      : []),
  ];
}

const rootRequestsText = (atMost: number | null): string =>
  atMost === null ? 'an unknown number of requests' : `at most ${count(atMost, 'request')}`;

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

function bytesText(bytes: number | null): string {
  if (bytes === null) return 'unknown, as no chunk could be read';
  let value = bytes,
    unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `about ${count(bytes, 'byte')}` : `about ${value.toFixed(1)} ${UNITS[unit]}`;
}
