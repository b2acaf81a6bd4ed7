/**
 * JSON whose 64-bit integers stay exact, both ways: `JSON.parse` rounds them, and `JSON.stringify` refuses a bigint.
 * Written by the Python of the server, it may also hold `NaN`, `Infinity` and `-Infinity` where JSON has no numbers.
 */
import { parse, stringify } from 'lossless-json';

/**
 * Integers beyond 2^53 are bigints, all other numbers numbers, `NaN` is null.
 * @throws SyntaxError, also for what is nested too deeply or has a key twice.
 */
export function parseExactJson(text: string): unknown {
  try {
    return parse(/NaN|Infinity/.test(text) ? withoutBareWords(text) : text, null, exactNumber);
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError('the JSON is nested too deeply');
    throw error;
  }
}

/** Bigints as raw digits; a BigUint64Array is a list. */
export const formatExactJson = (value: unknown): string =>
  stringify(value, (_key, part: unknown) => (part instanceof BigUint64Array ? Array.from(part) : part)) ??
  'null';

function exactNumber(text: string): number | bigint {
  const number = Number(text);
  return text.length < 16 || Number.isSafeInteger(number) || !/^-?\d+$/.test(text) ? number : BigInt(text);
}

/** 1e999 is Infinity once it is read. Strings are passed over as they stand. */
const withoutBareWords = (text: string): string =>
  text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|NaN|Infinity/gs, (part) =>
    part === 'NaN' ? 'null' : part === 'Infinity' ? '1e999' : part,
  );
