/**
 * Kinds of option values. Each kind checks a value and describes it, in the same words for errors, the
 * command line and the docs.
 */
import { MAX_TIMEOUT_MS } from './deadline.ts';
import { toPrintable } from './printable.ts';
import { safeText } from './secret-redaction.ts';

/** One kind of value, such as a whole number from 1. */
export interface ValueKind {
  /** What the value must be; it ends the sentences "NAME is …" and "expected …". */
  readonly expected: string;
  /** All valid values, where they are words. */
  readonly words?: readonly string[];
  /**
   * Checks a value.
   * @throws TypeError or RangeError that names the option, the value and the expected kind.
   */
  check(name: string, value: unknown): void;
}

/** Formats a value for an error message: short, and without the content of an object. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return safeText(JSON.stringify(toPrintable(value, 60)));
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Names the type of a value. Use it for a value that may be a secret. */
export const formatType = (value: unknown): string => (value === null ? 'null' : `a ${typeof value}`);

/** Defines a kind by a test. A value that fails it throws a TypeError. */
export const defineKind = (
  expected: string,
  is: (value: unknown) => boolean,
  show = formatValue,
): ValueKind => ({
  expected,
  check: (name, value) => {
    if (!is(value)) throw new TypeError(`${name} is ${expected}, not ${show(value)}`);
  },
});

/** Defines a kind of number by a test. A value that fails it, or is not a number, throws a RangeError. */
export const defineNumberKind = (expected: string, is: (value: number) => boolean): ValueKind => ({
  expected,
  check: (name, value) => {
    if (!(typeof value === 'number' && is(value)))
      throw new RangeError(`${name} must be ${expected}, not ${formatValue(value)}`);
  },
});

/** A whole number from `min` to `max`. */
export const integerFrom = (min: number, max = Number.MAX_SAFE_INTEGER): ValueKind =>
  defineNumberKind(
    `a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`,
    (value) => Number.isSafeInteger(value) && value >= min && value <= max,
  );

/** A positive finite number of `unit`. */
export const positiveNumberOf = (unit: string): ValueKind =>
  defineNumberKind(`a positive number of ${unit}`, (value) => value > 0 && Number.isFinite(value));

/** One of a list of words. */
export const oneOf = (...words: readonly string[]): ValueKind => ({
  words,
  ...defineKind(
    words
      .map((word) => `'${word}'`)
      .join(', ')
      .replace(/, (?=[^,]*$)/, ' or '),
    (value) => words.includes(value as string),
  ),
});

/** Text that is not empty. */
export const nonEmptyText = (expected: string): ValueKind =>
  defineKind(expected, (value) => typeof value === 'string' && value !== '');

/** True or false. */
export const BOOLEAN = defineKind('true or false', (value) => typeof value === 'boolean');

/** Any function. */
export const FUNCTION = defineKind('a function', (value) => typeof value === 'function');

/** An AbortSignal, of this realm or another. */
export const SIGNAL = defineKind(
  'an AbortSignal',
  (value) =>
    typeof (value as AbortSignal | null)?.aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function',
);

/** A logger: an object with a method `warn`. */
export const LOGGER = defineKind(
  'an object with a method warn(message)',
  (value) => typeof (value as { warn?: unknown } | null)?.warn === 'function',
);

const ANY_TIMEOUT = integerFrom(1);
/** A time limit in milliseconds, up to the longest time that a timer can wait. */
export const TIMEOUT: ValueKind = {
  expected: ANY_TIMEOUT.expected,
  check: (name, value) => {
    ANY_TIMEOUT.check(name, value);
    if ((value as number) > MAX_TIMEOUT_MS)
      throw new RangeError(`${name} must be at most ${MAX_TIMEOUT_MS}, not ${String(value)}`);
  },
};

/** A resolution: nanometres per unit along x, y and z. */
export const RESOLUTION: ValueKind = {
  expected: 'three positive numbers, nanometres along x, y, z',
  check: (name, value) => {
    if (
      !Array.isArray(value) ||
      value.length !== 3 ||
      !value.every((nm) => typeof nm === 'number' && nm > 0 && Number.isFinite(nm))
    )
      throw new RangeError(
        `${name} must be ${RESOLUTION.expected}, not ${Array.isArray(value) ? `[${value.slice(0, 4).map(formatValue).join(', ')}]` : formatValue(value)}`,
      );
  },
};
