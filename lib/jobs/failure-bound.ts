/** Stops a job that has too many points without a good answer. */
import { TableError } from '../base/errors.ts';
import { PointStatus, statusText } from '../points/status.ts';

/** How many points may need attention: a number, or a percentage of all points. */
export type MaxFailures = { readonly points: number } | { readonly percent: number };

/** Reads how many points may need attention: `100`, `'100'` or `'0.1%'`. Returns undefined for anything else. */
export function toMaxFailures(value: number | string): MaxFailures | undefined {
  const [, text, percent] = /^(\d+(?:\.\d+)?)( ?%)?$/.exec(String(value)) ?? [],
    number = Number(text);
  if (percent !== undefined) return number <= 100 ? { percent: number } : undefined;
  return Number.isSafeInteger(number) ? { points: number } : undefined;
}

const { suspect, noRoot, staleSupervoxel, failed, rootFailed, invalidPoint, invalidId, invalidTimestamp } =
  PointStatus;

/** The statuses of points that need attention. */
const FAILURE_CODES: readonly number[] = [
  failed,
  rootFailed,
  noRoot,
  staleSupervoxel,
  suspect,
  invalidPoint,
  invalidId,
  invalidTimestamp,
];

/** Returns 1 for each status code whose points need attention, at the index of the code. */
export function needsAttentionByCode(): Uint8Array {
  const flags = new Uint8Array(256);
  for (const code of FAILURE_CODES) flags[code] = 1;
  return flags;
}

/** The number of points per status code, for each volume. */
type VolumeCounts = readonly { readonly counts: ArrayLike<number> }[];

/** Returns how many of the counted answers need attention, in all volumes together. */
const countFailures = (volumes: VolumeCounts): number =>
  volumes.reduce((sum, { counts }) => sum + FAILURE_CODES.reduce((own, code) => own + counts[code], 0), 0);

/** Returns whether any of these statuses, by their texts, needs attention. */
export const needsAttention = (statuses: Readonly<Record<string, number>>): boolean =>
  FAILURE_CODES.some((code) => statuses[statusText(code)] > 0);

/**
 * Checks that no more points need attention than may.
 * @param volumes What was counted so far.
 * @param points The number of all points of the table; undefined as long as it is not known.
 * @param advice What can be done then, at the end of the message.
 * @throws TableError TOO_MANY_FAILURES.
 */
export function requireFewFailures(
  max: MaxFailures | undefined,
  volumes: VolumeCounts,
  points: number | undefined,
  advice?: string,
): void {
  if (!max) return;
  const answers = points === undefined ? undefined : points * volumes.length;
  if ('percent' in max && answers === undefined) return;
  const allowed = 'percent' in max ? (max.percent / 100) * answers! : max.points,
    failures = countFailures(volumes);
  if (failures <= allowed) return;
  const byStatus = FAILURE_CODES.map((code) => [code, countOf(volumes, code)] as const)
    .filter(([, count]) => count > 0)
    .map(([code, count]) => `${number(count)} ${statusText(code)}`);
  const what = volumes.length > 1 ? 'answers' : 'points',
    of = answers === undefined ? '' : ` of ${number(answers)}`,
    bound = 'percent' in max ? `${max.percent}%` : number(max.points);
  throw new TableError(
    'TOO_MANY_FAILURES',
    `${number(failures)}${of} ${what} need attention so far (${byStatus.join(', ')}), more than the ${bound} that maxFailures (--max-failures) allows${advice === undefined ? '' : `: ${advice}`}`,
  );
}

const countOf = (volumes: VolumeCounts, code: number): number =>
  volumes.reduce((sum, { counts }) => sum + counts[code], 0);

const number = (n: number): string => n.toLocaleString('en-US');
