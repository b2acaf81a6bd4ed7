/** Moments that a server has to be asked about, brought to milliseconds before anything is asked at them. */
import { TimestampError } from '../../base/errors.ts';
import type { Instants } from './instants.ts';
import type { Moment, Version } from '../ids/timestamp.ts';

/** What knows when versions were made. */
export interface VersionSource {
  momentOf(version: Version['version'], signal?: AbortSignal): Promise<Date>;
}

export interface Moments {
  instants: Pick<Instants, 'now' | 'settled'>;
  /** @default there are none, and naming one is an error */
  versions?: VersionSource;
}

/** @throws TimestampError when a version is named where there are none. */
export function checkMoment(moment: Moment, versions: object | undefined): Moment {
  if (typeof moment !== 'object' || versions) return moment;
  const name = moment.version === 'newest' ? 'mat' : `mat_${moment.version}`;
  throw new TimestampError(
    `'${name}' names a materialization, and those are a datastack's: open the volume as cave://DATASTACK`,
  );
}

/** The moment with its version, if it names one, looked up. @throws as {@link checkMoment}, and as the look-up. */
export async function settleVersion(
  moment: Moment,
  versions: VersionSource | undefined,
  signal?: AbortSignal,
): Promise<Exclude<Moment, Version>> {
  const checked = checkMoment(moment, versions);
  return typeof checked === 'object'
    ? (await versions!.momentOf(checked.version, signal)).getTime()
    : checked;
}

/** In ms since 1970. @throws as {@link settleVersion}. */
export async function msOf(
  moment: Moment,
  { instants, versions }: Moments,
  signal?: AbortSignal,
): Promise<number> {
  const known = await settleVersion(moment, versions, signal);
  return known === 'settled' ? instants.settled() : (known ?? instants.now());
}
