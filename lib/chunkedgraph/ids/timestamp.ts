/**
 * Parses timestamps as users write them, and formats them as the server expects: unix seconds with
 * milliseconds. The server cuts timestamps to whole milliseconds. A look-up at exactly an edit's millisecond
 * includes the edit.
 */
import { TimestampError } from '../../base/errors.ts';
import type { ValueKind } from '../../base/value-kinds.ts';

/**
 * A timestamp: a Date, ISO 8601 text (UTC if it names no zone), or unix seconds as a number or text. Where an
 * option accepts it, also `'now'`, `'settled'`, and for a datastack `'mat'` (the newest materialization) or
 * `'mat_943'` (version 943).
 */
export type Timestamp = Date | string | number;

/** The server accepts the years 1 to 9999, and refuses all others. */
const START_MS = -62_135_596_800_000,
  END_MS = 253_402_300_800_000;
/** The last timestamp that the server accepts, in ms since 1970. */
export const LAST_TIMESTAMP_MS = END_MS - 1;
const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}([.,]\d+)?)?)\s?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$/i;
/** In 1973. No graph is so old: a smaller number is a year, a day or a materialization. */
const LEAST_SECONDS = 1e8;

/**
 * Parses a timestamp. Parts finer than a millisecond are cut off.
 *
 * @param value A Date, ISO 8601 text (UTC if it names no zone), or unix seconds as a number or text. `'now'`,
 *   `'settled'` and `'mat_943'` are not accepted here.
 * @returns The timestamp in whole milliseconds.
 * @throws TimestampError for any other value, and for a year outside 1 to 9999. A number above 1e11 is
 *   refused, because it can only be milliseconds. A number below 1e8 is refused, because it is probably a
 *   materialization version.
 * @example
 * ```ts
 * parseTimestamp('2024-06-05T10:10:01.203Z');
 * parseTimestamp('2024-06-05'); // midnight UTC
 * parseTimestamp(1717582201.203); // unix seconds
 * ```
 */
export function parseTimestamp(value: Timestamp): Date {
  if (value instanceof Date) return checkRange(value.getTime(), 'the Date');
  if (typeof value === 'number') return fromSeconds(value, String(value));
  if (typeof value !== 'string')
    throw new TimestampError(
      `a timestamp must be a Date, ISO 8601 text, unix seconds or 'now', not ${typeof value}`,
    );
  const text = value.trim(),
    shown = JSON.stringify(value.slice(0, 60));
  if (/^-?\d+(\.\d+)?$/.test(text)) return fromSeconds(Number(text), shown, text);
  const iso = ISO.exec(text);
  if (!iso)
    throw new TimestampError(
      `${shown} is not a timestamp: expected 2024-06-05T10:10:01.203Z, unix seconds or 'now'`,
    );
  const [, day, clock = '00:00:00', fraction = '', zone = 'Z'] = iso;
  const time = clock.slice(0, 8);
  const ms = fraction.slice(1, 4).padEnd(3, '0');
  const offset = /^(UTC|GMT)$/i.test(zone)
    ? 'Z'
    : /^[+-]\d{2}$/.test(zone)
      ? `${zone}:00`
      : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2').toUpperCase();
  const parsed = Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}.${ms}${offset}`);
  // Date.parse turns 30 February into 1 March. If the date changes on the way back, it does not exist.
  if (Number.isNaN(parsed) || new Date(Date.parse(`${day}T00:00:00Z`)).toISOString().slice(0, 10) !== day)
    throw new TimestampError(`${shown} is a date or time that does not exist`);
  return checkRange(parsed, shown);
}

function fromSeconds(seconds: number, shown: string, text = String(seconds)): Date {
  if (!Number.isFinite(seconds)) throw new TimestampError(`${shown} is not a timestamp`);
  if (seconds < LEAST_SECONDS)
    throw new TimestampError(`${shown} is too small for unix seconds: ${adviceFor(text)}`);
  if (seconds > 1e11)
    throw new TimestampError(`${shown} looks like milliseconds; unix seconds are expected: divide by 1000`);
  // Cut by the digits, not rounded: 1578441600.123 × 1000 is 1578441600122.9999 in doubles.
  const digits = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (!digits) return checkRange(Math.floor(seconds * 1000), shown);
  const whole = Number(digits[1]) * 1000,
    part = Number((digits[2] ?? '').slice(0, 3).padEnd(3, '0'));
  return checkRange(whole + part, shown);
}

/** Says what a small number was probably meant to be. */
function adviceFor(text: string): string {
  const day = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (day) return `write a date as ${day.slice(1).join('-')}`;
  return /^\d+$/.test(text)
    ? `write materialization ${Number(text)} of a datastack as mat_${Number(text)}, and a date as 2024-06-05`
    : 'write a timestamp as 2024-06-05T10:10:01.203Z';
}

function checkRange(ms: number, shown: string): Date {
  if (Number.isNaN(ms)) throw new TimestampError(`${shown} is an invalid Date`);
  if (ms < START_MS || ms >= END_MS)
    throw new TimestampError(`${shown} is outside the years that the server accepts (1 to 9999)`);
  return new Date(Math.floor(ms));
}

/** Returns milliseconds since 1970; undefined for no timestamp and for `'now'`. @throws TimestampError. */
const fixedMs = (timestamp: Timestamp | undefined): number | undefined =>
  timestamp === undefined || timestamp === 'now' ? undefined : parseTimestamp(timestamp).getTime();

/** A materialization of a datastack, by its version number. */
export interface NamedVersion {
  version: number | 'newest';
}

/**
 * A parsed `timestamp` option: ms since 1970, `'settled'`, a materialization, or undefined for now. Now and
 * settled become known when a call starts. The timestamp of a materialization needs a request.
 */
export type TimestampOption = number | 'settled' | NamedVersion | undefined;

/**
 * Parses a `timestamp` option. Does not resolve `'now'`, `'settled'`, `'mat'` and `'mat_943'`. @throws
 * TimestampError.
 */
export const parseTimestampOption = (timestamp: Timestamp | undefined): TimestampOption =>
  timestamp === 'settled' ? 'settled' : (parseVersionName(timestamp) ?? fixedMs(timestamp));

/** The values that a `timestamp` option accepts. */
export const TIMESTAMP_KIND: ValueKind = {
  expected: "a Date, ISO 8601 text, unix seconds, 'now', 'settled', 'mat' or 'mat_943'",
  check: (_name, value) => void parseTimestampOption(value as Timestamp),
};

/** Parses `mat` (the newest materialization) and `mat_943` (version 943). Undefined for any other value. */
export function parseVersionName(timestamp: unknown): NamedVersion | undefined {
  const [name, number] =
    typeof timestamp === 'string' ? (/^mat(?:_(\d{1,9}))?$/i.exec(timestamp.trim()) ?? []) : [];
  return name === undefined ? undefined : { version: number === undefined ? 'newest' : Number(number) };
}

/**
 * Formats a timestamp for a query: `1717582201.203`. A later timestamp than the server accepts becomes the
 * last accepted one, which the server also answers as of its own now.
 */
export const toUnixSeconds = (ms: number): string => (Math.min(ms, LAST_TIMESTAMP_MS) / 1000).toFixed(3);

/**
 * Formats a timestamp for `is_latest_roots` and `root_timestamps`. These endpoints exclude edits at exactly
 * their timestamp, while root look-ups include them. So one millisecond is added, here and nowhere else: then
 * all answers for one timestamp describe the same state.
 */
export const toExclusiveUnixSeconds = (ms: number): string => toUnixSeconds(ms + 1);
