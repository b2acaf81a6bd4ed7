/** Times and binary values as text. Source: ISO 8601. */
import type { ArrowType } from '../arrow/arrow-types.ts';
import { brokenArrow } from '../arrow/flat-table.ts';

const SECONDS_PER_DAY = 86_400n;

/** Splits a number of units into whole seconds and the digits after the point. */
function splitSeconds(value: bigint, unit: number): [seconds: bigint, fraction: string] {
  const perSecond = 10n ** BigInt(unit);
  let seconds = value / perSecond,
    part = value % perSecond;
  if (part < 0n) {
    part += perSecond;
    seconds -= 1n;
  }
  return [seconds, unit === 0 ? '' : `.${String(part).padStart(unit, '0')}`];
}

/**
 * Returns a timestamp: `2020-01-02T03:04:05.123456`, with a Z if it has a zone. A time that no date has is
 * its number and its unit.
 *
 * @param unit The unit as a power of ten per second.
 */
export function timestampIso(value: bigint, unit: number, hasZone: boolean): string {
  const [seconds, fraction] = splitSeconds(value, unit),
    date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return `${value} ${UNIT_NAMES[unit / 3]}`;
  return date.toISOString().replace(/\.000Z$/, `${fraction}${hasZone ? 'Z' : ''}`);
}

const UNIT_NAMES = ['s', 'ms', 'us', 'ns'];
const two = (value: bigint): string => String(value).padStart(2, '0');

/** Returns a time of the day: `03:04:05.123`. @param unit The unit as a power of ten per second. */
export function timeText(value: bigint, unit: number): string {
  const [seconds, fraction] = splitSeconds(value, unit);
  if (seconds < 0n || seconds >= SECONDS_PER_DAY) return `${value} ${UNIT_NAMES[unit / 3]}`;
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${fraction}`;
}

/** Returns a duration in seconds: `PT1.5S`. @param unit The unit as a power of ten per second. */
export function durationText(value: bigint, unit: number): string {
  const [seconds, fraction] = splitSeconds(value < 0n ? -value : value, unit);
  return `${value < 0n ? '-' : ''}PT${seconds}${fraction.replace(/\.?0+$/, '')}S`;
}

/**
 * Returns a function that returns the hexadecimal digits of binary value i.
 *
 * @param buffers The buffers of the column without the marks of its nulls.
 */
export function binaryTextAt(
  { name, size }: ArrowType,
  length: number,
  buffers: readonly Uint8Array[],
): (i: number) => string {
  const [first, data] = buffers,
    view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  const need = (bytes: number): void => {
    if (first.length < bytes) throw brokenArrow('a buffer is shorter than its column');
  };
  const hex = (from: Uint8Array | undefined, start: number, end: number): string => {
    if (!from || !(start >= 0 && start <= end && end <= from.length))
      throw brokenArrow('a binary value lies outside its column');
    return Buffer.from(from.buffer, from.byteOffset + start, end - start).toString('hex');
  };
  switch (name) {
    case 'fixed_size_binary':
      need(length * size);
      return (i) => hex(first, i * size, (i + 1) * size);
    case 'binary':
      need(length === 0 ? 0 : 4 * (length + 1));
      return (i) => hex(data, view.getInt32(4 * i, true), view.getInt32(4 * i + 4, true));
    case 'large_binary':
      need(length === 0 ? 0 : 8 * (length + 1));
      return (i) =>
        hex(data, Number(view.getBigInt64(8 * i, true)), Number(view.getBigInt64(8 * i + 8, true)));
    default:
      need(16 * length);
      return (i) => {
        const bytes = view.getInt32(16 * i, true);
        if (bytes <= 12) return hex(first, 16 * i + 4, 16 * i + 4 + bytes);
        const start = view.getInt32(16 * i + 12, true);
        return hex(buffers[1 + view.getInt32(16 * i + 8, true)], start, start + bytes);
      };
  }
}
