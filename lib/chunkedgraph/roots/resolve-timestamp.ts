/** Moments that a server has to be asked about, brought to milliseconds before anything is asked at them. */
import { TimestampError } from '../../base/errors.ts';
import type { WindowClock } from './window-clock.ts';
import type { TimestampOption, NamedVersion } from '../ids/timestamp.ts';

/** What knows when versions were made. */
export interface VersionSource {
  timestampOf(version: NamedVersion['version'], signal?: AbortSignal): Promise<Date>;
}

export interface TimestampContext {
  windowClock: Pick<WindowClock, 'now' | 'settled'>;
  /** @default there are none, and naming one is an error */
  versions?: VersionSource;
}

/** @throws TimestampError when a version is named where there are none. */
export function checkTimestampOption(moment: TimestampOption, versions: object | undefined): TimestampOption {
  if (typeof moment !== 'object' || versions) return moment;
  const name = moment.version === 'newest' ? 'mat' : `mat_${moment.version}`;
  throw new TimestampError(
    `'${name}' names a materialization, and those are a datastack's: open the volume as cave://DATASTACK`,
  );
}

/** The moment with its version, if it names one, looked up. @throws as {@link checkTimestampOption}, and as the look-up. */
export async function resolveVersion(
  moment: TimestampOption,
  versions: VersionSource | undefined,
  signal?: AbortSignal,
): Promise<Exclude<TimestampOption, NamedVersion>> {
  const checked = checkTimestampOption(moment, versions);
  return typeof checked === 'object'
    ? (await versions!.timestampOf(checked.version, signal)).getTime()
    : checked;
}

/** In ms since 1970. @throws as {@link resolveVersion}. */
export async function resolveTimestampMs(
  moment: TimestampOption,
  { windowClock: instants, versions }: TimestampContext,
  signal?: AbortSignal,
): Promise<number> {
  const known = await resolveVersion(moment, versions, signal);
  return known === 'settled' ? instants.settled() : (known ?? instants.now());
}
