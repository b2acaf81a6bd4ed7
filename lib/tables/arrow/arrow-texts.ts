/** Reads values of Arrow columns as text: strings, booleans, dates and timestamps. */
import { TableError } from '../../base/errors.ts';
import type { ArrowType } from './arrow-types.ts';
import { brokenArrow } from './flat-table.ts';

/** The most bytes of one text. No number, ID, position or timestamp is as long. */
const MAX_TEXT = 2 ** 24;
const VIEW_BYTES = 16,
  MAX_INLINE = 12;
const DAY_MS = 86_400_000;

/**
 * Returns a function that returns the text of value i.
 *
 * @param buffers The buffers of the column without the marks of its nulls.
 * @throws TableError BAD_FORMAT, at once or when a text is read.
 */
export function readArrowTexts(
  type: ArrowType,
  length: number,
  buffers: readonly Uint8Array[],
): (i: number) => string {
  const [first, data] = buffers;
  const need = (bytes: number): DataView => {
    if (first.length < bytes) throw brokenArrow('a buffer is shorter than its column');
    return viewOf(first);
  };
  switch (type.name) {
    case 'string':
    case 'large_string': {
      const isShort = type.name === 'string',
        offsets = need(length === 0 ? 0 : (length + 1) * (isShort ? 4 : 8));
      const offset = (i: number): number =>
        isShort ? offsets.getInt32(4 * i, true) : longAt(offsets, 8 * i);
      return (i) => textIn(data, offset(i), offset(i + 1));
    }
    case 'string_view': {
      const views = need(VIEW_BYTES * length);
      return (i) => {
        const at = VIEW_BYTES * i,
          bytes = views.getInt32(at, true);
        if (bytes <= MAX_INLINE) return textIn(first, at + 4, at + 4 + bytes);
        const source = buffers[1 + views.getInt32(at + 8, true)];
        if (source === undefined) throw brokenArrow('a text lies outside its column');
        const start = views.getInt32(at + 12, true);
        return textIn(source, start, start + bytes);
      };
    }
    case 'bool':
      need(Math.ceil(length / 8));
      return (i) => String(((first[i >> 3] >> (i & 7)) & 1) === 1);
    case 'date': {
      const dates = need((length * type.bits) / 8);
      return (i) =>
        type.bits === 32
          ? dateText(dates.getInt32(4 * i, true) * DAY_MS).slice(0, 10)
          : dateText(longAt(dates, 8 * i)).slice(0, 10);
    }
    case 'timestamp': {
      const times = need(8 * length);
      return (i) => timestampText(times.getBigInt64(8 * i, true), type.unit);
    }
    default:
      throw new TypeError(`a column of type ${type.name} is not shown as text`);
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const longAt = (view: DataView, at: number): number =>
  view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);

function textIn(data: Uint8Array, start: number, end: number): string {
  if (!(start >= 0 && start <= end && end <= data.length))
    throw brokenArrow('a text lies outside its column');
  if (end - start > MAX_TEXT)
    throw new TableError('BAD_FORMAT', `a column that is read holds a text of ${end - start} bytes`);
  return Buffer.from(data.buffer, data.byteOffset + start, end - start).toString('utf8');
}

/** Returns a time as ISO 8601 text in UTC, or as its number if no date has it. */
function dateText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

/** @param unit The unit as a power of ten per second. */
function timestampText(value: bigint, unit: number): string {
  const perSecond = 10n ** BigInt(unit);
  let seconds = value / perSecond,
    part = value % perSecond;
  if (part < 0n) {
    part += perSecond;
    seconds -= 1n;
  }
  const text = dateText(Number(seconds) * 1000);
  const fraction = unit === 0 ? '' : `.${String(part).padStart(unit, '0')}`;
  return text.replace(/\.000Z$/, `${fraction}Z`);
}
