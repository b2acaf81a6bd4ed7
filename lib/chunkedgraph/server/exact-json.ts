/**
 * Parses and writes JSON with exact 64-bit integers: `JSON.parse` rounds them, and `JSON.stringify` refuses a
 * bigint. The server's Python may also write `NaN`, `Infinity` and `-Infinity`, which are not valid JSON.
 */
import { parse, stringify } from 'lossless-json';

/**
 * Parses JSON. Integers beyond 2^53 become bigints, all other numbers become numbers, and `NaN` becomes null.
 *
 * @throws SyntaxError, also for JSON that is nested too deeply or repeats a key.
 */
export function parseExactJson(text: string): unknown {
  try {
    return parse(/NaN|Infinity/.test(text) ? withoutBareWords(text) : text, null, exactNumber);
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError('the JSON is nested too deeply');
    throw error;
  }
}

/** Writes JSON. A bigint becomes digits, and a BigUint64Array becomes a list. */
export const formatExactJson = (value: unknown): string =>
  stringify(value, (_key, part: unknown) => (part instanceof BigUint64Array ? Array.from(part) : part)) ??
  'null';

function exactNumber(text: string): number | bigint {
  const number = Number(text);
  return text.length < 16 || Number.isSafeInteger(number) || !/^-?\d+$/.test(text) ? number : BigInt(text);
}

/** Replaces `NaN` by null and `Infinity` by 1e999, which is read as Infinity. Strings stay unchanged. */
const withoutBareWords = (text: string): string =>
  text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|NaN|Infinity/gs, (part) =>
    part === 'NaN' ? 'null' : part === 'Infinity' ? '1e999' : part,
  );
