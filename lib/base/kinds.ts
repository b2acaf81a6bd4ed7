/** What the value of an option may be: checked in one way, and said in the same words to programmers, on the command line and in the docs. */
import { MAX_TIMEOUT_MS } from './deadline.ts';
import { printable } from './printable.ts';
import { safeText } from './secrets.ts';

export interface Kind {
  /** Ends the sentences "NAME is …" and "expected …". */
  readonly wanted: string;
  /** All that it may be, where these are words. */
  readonly words?: readonly string[];
  /** @throws TypeError or RangeError that names the option, what was given and what is wanted. */
  check(name: string, value: unknown): void;
}

/** A value as an error shows it: short, and never what an object holds. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return safeText(JSON.stringify(printable(value, 60)));
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** For what may be a secret. */
export const typeShown = (value: unknown): string => (value === null ? 'null' : `a ${typeof value}`);

/** A value of another type is a TypeError. */
export const kind = (wanted: string, is: (value: unknown) => boolean, show = shown): Kind => ({
  wanted,
  check: (name, value) => {
    if (!is(value)) throw new TypeError(`${name} is ${wanted}, not ${show(value)}`);
  },
});

/** A number that cannot be meant is a RangeError, and so is what is no number. */
export const numeric = (wanted: string, is: (value: number) => boolean): Kind => ({
  wanted,
  check: (name, value) => {
    if (!(typeof value === 'number' && is(value)))
      throw new RangeError(`${name} must be ${wanted}, not ${shown(value)}`);
  },
});

export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Kind =>
  numeric(
    `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`,
    (value) => Number.isSafeInteger(value) && value >= least && value <= most,
  );

export const positive = (unit: string): Kind =>
  numeric(`a positive number of ${unit}`, (value) => value > 0 && Number.isFinite(value));

export const oneOf = (...words: readonly string[]): Kind => ({
  words,
  ...kind(
    words
      .map((word) => `'${word}'`)
      .join(', ')
      .replace(/, (?=[^,]*$)/, ' or '),
    (value) => words.includes(value as string),
  ),
});

/** Text that is not empty. */
export const text = (wanted: string): Kind =>
  kind(wanted, (value) => typeof value === 'string' && value !== '');

export const BOOLEAN = kind('true or false', (value) => typeof value === 'boolean');

export const FUNCTION = kind('a function', (value) => typeof value === 'function');

export const SIGNAL = kind(
  'an AbortSignal',
  (value) =>
    typeof (value as AbortSignal | null)?.aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function',
);

export const LOGGER = kind(
  'an object with a method warn(message)',
  (value) => typeof (value as { warn?: unknown } | null)?.warn === 'function',
);

const ANY_TIMEOUT = whole(1);
/** As long as a timer can wait. */
export const TIMEOUT: Kind = {
  wanted: ANY_TIMEOUT.wanted,
  check: (name, value) => {
    ANY_TIMEOUT.check(name, value);
    if ((value as number) > MAX_TIMEOUT_MS)
      throw new RangeError(`${name} must be at most ${MAX_TIMEOUT_MS}, not ${String(value)}`);
  },
};

/** Nanometres per unit along x, y, z. */
export const RESOLUTION: Kind = {
  wanted: 'three positive numbers, nanometres along x, y, z',
  check: (name, value) => {
    if (
      !Array.isArray(value) ||
      value.length !== 3 ||
      !value.every((nm) => typeof nm === 'number' && nm > 0 && Number.isFinite(nm))
    )
      throw new RangeError(
        `${name} must be ${RESOLUTION.wanted}, not ${Array.isArray(value) ? `[${value.slice(0, 4).map(shown).join(', ')}]` : shown(value)}`,
      );
  },
};
