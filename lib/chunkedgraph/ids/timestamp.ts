/**
 * Moments, as people write them and as the server takes them: unix seconds with milliseconds. The server cuts timestamps to whole
 * milliseconds and a look-up at exactly an edit's millisecond sees the edit.
 */
import { TimestampError } from '../../base/errors.ts';
import type { ValueKind } from '../../base/value-kinds.ts';

export type Timestamp = Date | string | number;

/** The years 1 to 9999, which is what the server's clock can hold: it refuses everything else. */
const START_MS = -62_135_596_800_000,
  END_MS = 253_402_300_800_000;
/** The last moment the server takes, in ms since 1970. */
export const LAST_TIMESTAMP_MS = END_MS - 1;
const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}([.,]\d+)?)?)\s?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$/i;
/** In 1973. A number below it is a year, a day or a materialization: no graph is so old. */
const LEAST_SECONDS = 1e8;

/**
 * @param value A Date, ISO 8601 text (no zone: UTC), or unix seconds as a number or text. Finer parts than milliseconds are cut off.
 * @throws TimestampError for anything else; a number above 1e11 is refused because it can only be milliseconds, one below 1e8 because it is
 * more likely a materialization.
 */
export function parseTimestamp(value: Timestamp): Date {
  if (value instanceof Date) return checked(value.getTime(), 'the Date given');
  if (typeof value === 'number') return fromSeconds(value, String(value));
  if (typeof value !== 'string')
    throw new TimestampError(
      `a timestamp is a Date, ISO 8601 text, unix seconds or 'now', not ${typeof value}`,
    );
  const text = value.trim(),
    shown = JSON.stringify(value.slice(0, 60));
  if (/^-?\d+(\.\d+)?$/.test(text)) return fromSeconds(Number(text), shown, text);
  const iso = ISO.exec(text);
  if (!iso)
    throw new TimestampError(
      `${shown} is no timestamp: expected 2024-06-05T10:10:01.203Z, unix seconds or 'now'`,
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
  // Date.parse turns 30 February into March: a date that does not come back as it went in is none.
  if (Number.isNaN(parsed) || new Date(Date.parse(`${day}T00:00:00Z`)).toISOString().slice(0, 10) !== day)
    throw new TimestampError(`${shown} names a moment that does not exist`);
  return checked(parsed, shown);
}

function fromSeconds(seconds: number, shown: string, text = String(seconds)): Date {
  if (!Number.isFinite(seconds)) throw new TimestampError(`${shown} is no timestamp`);
  if (seconds < LEAST_SECONDS)
    throw new TimestampError(`${shown} is too small for unix seconds: ${adviceFor(text)}`);
  if (seconds > 1e11)
    throw new TimestampError(`${shown} looks like milliseconds; unix seconds are wanted: divide by 1000`);
  // Cut, not rounded, and by its digits: 1578441600.123 × 1000 is 1578441600122.9999 in doubles.
  const digits = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (!digits) return checked(Math.floor(seconds * 1000), shown);
  const whole = Number(digits[1]) * 1000,
    part = Number((digits[2] ?? '').slice(0, 3).padEnd(3, '0'));
  return checked(whole + part, shown);
}

/** What a small number may have been meant to be. */
function adviceFor(text: string): string {
  const day = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (day) return `write the day as ${day.slice(1).join('-')}`;
  return /^\d+$/.test(text)
    ? `the materialization ${Number(text)} of a datastack is mat_${Number(text)}, and a day is written as 2024-06-05`
    : 'write a moment as 2024-06-05T10:10:01.203Z';
}

function checked(ms: number, shown: string): Date {
  if (Number.isNaN(ms)) throw new TimestampError(`${shown} is an invalid Date`);
  if (ms < START_MS || ms >= END_MS)
    throw new TimestampError(`${shown} is beyond the years the server knows (1 to 9999)`);
  return new Date(Math.floor(ms));
}

/** Milliseconds since 1970 of a moment that may be left open: undefined for none and for `'now'`. @throws TimestampError. */
const fixedMs = (timestamp: Timestamp | undefined): number | undefined =>
  timestamp === undefined || timestamp === 'now' ? undefined : parseTimestamp(timestamp).getTime();

/** A materialization of a datastack. */
export interface NamedVersion {
  version: number | 'newest';
}

/**
 * A moment in ms since 1970; undefined: now; `settled`: the newest whose answers are final. Both are known when the question is asked;
 * that of a version when its server has been asked.
 */
export type TimestampOption = number | 'settled' | NamedVersion | undefined;

/** The same, with `'settled'`, `'mat'` and `'mat_943'` left open too. @throws TimestampError. */
export const parseTimestampOption = (timestamp: Timestamp | undefined): TimestampOption =>
  timestamp === 'settled' ? 'settled' : (parseVersionName(timestamp) ?? fixedMs(timestamp));

/** What `timestamp` may be. */
export const TIMESTAMP_KIND: ValueKind = {
  expected: "a Date, ISO 8601 text, unix seconds, 'now', 'settled', 'mat' or 'mat_943'",
  check: (_name, value) => void parseTimestampOption(value as Timestamp),
};

/** The version that a timestamp names: `mat` the newest, `mat_943` that one; undefined for any other. */
export function parseVersionName(timestamp: unknown): NamedVersion | undefined {
  const [name, number] =
    typeof timestamp === 'string' ? (/^mat(?:_(\d{1,9}))?$/i.exec(timestamp.trim()) ?? []) : [];
  return name === undefined ? undefined : { version: number === undefined ? 'newest' : Number(number) };
}

/** What goes into the query: `1717582201.203`. At most the last moment that the server takes: later ones are as of its now, too. */
export const toUnixSeconds = (ms: number): string => (Math.min(ms, LAST_TIMESTAMP_MS) / 1000).toFixed(3);

/**
 * The same for endpoints that look at what is older than their timestamp, `is_latest_roots` and `root_timestamps`, where root look-ups
 * include what happened at it: one millisecond more, here and nowhere else, so that all answers for one moment are about one state.
 */
export const toExclusiveUnixSeconds = (ms: number): string => toUnixSeconds(ms + 1);
