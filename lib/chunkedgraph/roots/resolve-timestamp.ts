/**
 * Resolves a parsed `timestamp` option to milliseconds. Now and settled come from the clock; a
 * materialization needs a request.
 */
import { TimestampError } from '../../base/errors.ts';
import type { WindowClock } from './window-clock.ts';
import type { TimestampOption, NamedVersion } from '../ids/timestamp.ts';

/** Looks up the timestamps of materializations. */
export interface VersionSource {
  timestampOf(version: NamedVersion['version'], signal?: AbortSignal): Promise<Date>;
}

/** What is needed to resolve a timestamp. */
export interface TimestampContext {
  windowClock: Pick<WindowClock, 'now' | 'settled'>;
  /** The materializations of a datastack. @default none: a timestamp that names one is an error */
  versions?: VersionSource;
}

/**
 * Returns the option unchanged. @throws TimestampError if it names a materialization and `versions` is
 * undefined.
 */
export function checkTimestampOption(option: TimestampOption, versions: object | undefined): TimestampOption {
  if (typeof option !== 'object' || versions) return option;
  const name = option.version === 'newest' ? 'mat' : `mat_${option.version}`;
  throw new TimestampError(
    `'${name}' names a materialization, which only a datastack has: open the volume as cave://DATASTACK`,
  );
}

/**
 * Replaces a materialization by its timestamp. @throws TimestampError as {@link checkTimestampOption}; errors
 * of the look-up.
 */
export async function resolveVersion(
  option: TimestampOption,
  versions: VersionSource | undefined,
  signal?: AbortSignal,
): Promise<Exclude<TimestampOption, NamedVersion>> {
  const checked = checkTimestampOption(option, versions);
  return typeof checked === 'object'
    ? (await versions!.timestampOf(checked.version, signal)).getTime()
    : checked;
}

/** Returns the timestamp in ms since 1970. @throws The errors of {@link resolveVersion}. */
export async function resolveTimestampMs(
  option: TimestampOption,
  { windowClock, versions }: TimestampContext,
  signal?: AbortSignal,
): Promise<number> {
  const known = await resolveVersion(option, versions, signal);
  return known === 'settled' ? windowClock.settled() : (known ?? windowClock.now());
}
