/** The pieces that answers are made of, as zod reads them. Lists of IDs are checked in one pass: they may be long. */
import * as z from 'zod';

/** Whether it is a uint64 in any spelling the server has for one. */
const isId = (value: unknown): value is bigint | number | string =>
  typeof value === 'bigint'
    ? value >= 0n && value < 1n << 64n
    : typeof value === 'number'
      ? Number.isSafeInteger(value) && value >= 0
      : typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) < 1n << 64n;

const expected = (what: string) => ({ error: `expected ${what}` });

/** One uint64: a number, or text (`int64_as_str`). */
export const id = z
  .custom<bigint | number | string>(isId, expected('a uint64'))
  .transform((value) => BigInt(value));

export const ids = z
  .custom<(bigint | number | string)[]>(
    (value) => Array.isArray(value) && value.every(isId),
    expected('a list of uint64'),
  )
  .transform((list) => BigUint64Array.from(list, (value) => BigInt(value)));

const isPair = (value: unknown): value is [bigint, bigint] =>
  Array.isArray(value) && value.length === 2 && value.every(isId);

/** Pairs, end to end. */
export const idPairs = z
  .custom<(bigint | number | string)[][]>(
    (value) => Array.isArray(value) && value.every(isPair),
    expected('a list of pairs of uint64'),
  )
  .transform((pairs) => {
    const flat = new BigUint64Array(2 * pairs.length);
    pairs.forEach(([a, b], k) => {
      flat[2 * k] = BigInt(a);
      flat[2 * k + 1] = BigInt(b);
    });
    return flat;
  });

/** A small count: with `int64_as_str` some come as text. */
export const count = z.union(
  [
    z.int(),
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ],
  expected('a whole number'),
);

/** Numbers; the server's NaN is null by now. */
export const floats = z
  .custom<(number | string | null)[]>(
    (value) =>
      Array.isArray(value) &&
      value.every(
        (one) => one === null || typeof one === 'number' || (typeof one === 'string' && /^-?\d+$/.test(one)),
      ),
    expected('a list of numbers'),
  )
  .transform((list) => Float64Array.from(list, (value) => (value === null ? NaN : Number(value))));

/** Unix seconds as a double; the server keeps milliseconds. */
export const unixSeconds = z.number().transform((value) => new Date(Math.round(value * 1000)));

/** What Python's `isoformat` and `str` make of a moment in UTC. */
export const isoTime = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(\+00:00)?$/)
  .transform(
    (text) =>
      new Date(
        `${text.slice(0, 10)}T${text.slice(11, 19)}${(/\.\d{1,3}/.exec(text)?.[0] ?? '.').padEnd(4, '0')}Z`,
      ),
  );
