/** What the value of an option may be: checked in one way, and said in the same words to programmers, on the command line and in the docs. */
import { MAX_TIMEOUT_MS } from './deadline.ts';
import { toPrintable } from './printable.ts';
import { safeText } from './secret-redaction.ts';

export interface ValueKind {
  /** Ends the sentences "NAME is …" and "expected …". */
  readonly expected: string;
  /** All that it may be, where these are words. */
  readonly words?: readonly string[];
  /** @throws TypeError or RangeError that names the option, what was given and what is wanted. */
  check(name: string, value: unknown): void;
}

/** A value as an error shows it: short, and never what an object holds. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return safeText(JSON.stringify(toPrintable(value, 60)));
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** For what may be a secret. */
export const formatType = (value: unknown): string => (value === null ? 'null' : `a ${typeof value}`);

/** A value of another type is a TypeError. */
export const defineKind = (
  wanted: string,
  is: (value: unknown) => boolean,
  show = formatValue,
): ValueKind => ({
  expected: wanted,
  check: (name, value) => {
    if (!is(value)) throw new TypeError(`${name} is ${wanted}, not ${show(value)}`);
  },
});

/** A number that cannot be meant is a RangeError, and so is what is no number. */
export const defineNumberKind = (wanted: string, is: (value: number) => boolean): ValueKind => ({
  expected: wanted,
  check: (name, value) => {
    if (!(typeof value === 'number' && is(value)))
      throw new RangeError(`${name} must be ${wanted}, not ${formatValue(value)}`);
  },
});

export const integerFrom = (least: number, most = Number.MAX_SAFE_INTEGER): ValueKind =>
  defineNumberKind(
    `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`,
    (value) => Number.isSafeInteger(value) && value >= least && value <= most,
  );

export const positiveNumberOf = (unit: string): ValueKind =>
  defineNumberKind(`a positive number of ${unit}`, (value) => value > 0 && Number.isFinite(value));

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
export const nonEmptyText = (wanted: string): ValueKind =>
  defineKind(wanted, (value) => typeof value === 'string' && value !== '');

export const BOOLEAN = defineKind('true or false', (value) => typeof value === 'boolean');

export const FUNCTION = defineKind('a function', (value) => typeof value === 'function');

export const SIGNAL = defineKind(
  'an AbortSignal',
  (value) =>
    typeof (value as AbortSignal | null)?.aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function',
);

export const LOGGER = defineKind(
  'an object with a method warn(message)',
  (value) => typeof (value as { warn?: unknown } | null)?.warn === 'function',
);

const ANY_TIMEOUT = integerFrom(1);
/** As long as a timer can wait. */
export const TIMEOUT: ValueKind = {
  expected: ANY_TIMEOUT.expected,
  check: (name, value) => {
    ANY_TIMEOUT.check(name, value);
    if ((value as number) > MAX_TIMEOUT_MS)
      throw new RangeError(`${name} must be at most ${MAX_TIMEOUT_MS}, not ${String(value)}`);
  },
};

/** Nanometres per unit along x, y, z. */
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
