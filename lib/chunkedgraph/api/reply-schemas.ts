/**
 * The zod schemas for parts of the server's replies. Lists of IDs are checked in one pass, because they may
 * be long.
 */
import * as z from 'zod/mini';

/** Whether a value is a uint64, in any form that the server uses. */
const isId = (value: unknown): value is bigint | number | string =>
  typeof value === 'bigint'
    ? value >= 0n && value < 1n << 64n
    : typeof value === 'number'
      ? Number.isSafeInteger(value) && value >= 0
      : typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) < 1n << 64n;

const expected = (what: string) => ({ error: `expected ${what}` });

/** One uint64: a number, or text (`int64_as_str`). */
export const id = z.pipe(
  z.custom<bigint | number | string>(isId, expected('a uint64')),
  z.transform((value) => BigInt(value)),
);

/** A list of uint64, as a BigUint64Array. */
export const ids = z.pipe(
  z.custom<(bigint | number | string)[]>(
    (value) => Array.isArray(value) && value.every(isId),
    expected('a list of uint64'),
  ),
  z.transform((list) => BigUint64Array.from(list, (value) => BigInt(value))),
);

const isPair = (value: unknown): value is [bigint, bigint] =>
  Array.isArray(value) && value.length === 2 && value.every(isId);

/** A list of pairs of uint64, as one flat BigUint64Array. */
export const idPairs = z.pipe(
  z.custom<(bigint | number | string)[][]>(
    (value) => Array.isArray(value) && value.every(isPair),
    expected('a list of pairs of uint64'),
  ),
  z.transform((pairs) => {
    const flat = new BigUint64Array(2 * pairs.length);
    pairs.forEach(([a, b], k) => {
      flat[2 * k] = BigInt(a);
      flat[2 * k + 1] = BigInt(b);
    });
    return flat;
  }),
);

/** A small whole number. With `int64_as_str`, some come as text. */
export const count = z.union(
  [z.int(), z.pipe(z.string().check(z.regex(/^\d{1,15}$/)), z.transform(Number))],
  expected('a whole number'),
);

/** A list of numbers. The server's NaN has become null before. */
export const floats = z.pipe(
  z.custom<(number | string | null)[]>(
    (value) =>
      Array.isArray(value) &&
      value.every(
        (entry) =>
          entry === null || typeof entry === 'number' || (typeof entry === 'string' && /^-?\d+$/.test(entry)),
      ),
    expected('a list of numbers'),
  ),
  z.transform((list) => Float64Array.from(list, (value) => (value === null ? NaN : Number(value)))),
);

/** Unix seconds as a double. The server keeps milliseconds. */
export const unixSeconds = z.pipe(
  z.number(),
  z.transform((value) => new Date(Math.round(value * 1000))),
);

/** A UTC timestamp, as Python's `isoformat` and `str` write it. */
export const isoTime = z.pipe(
  z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(\+00:00)?$/)),
  z.transform(
    (text) =>
      new Date(
        `${text.slice(0, 10)}T${text.slice(11, 19)}${(/\.\d{1,3}/.exec(text)?.[0] ?? '.').padEnd(4, '0')}Z`,
      ),
  ),
);
