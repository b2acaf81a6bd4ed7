/** Reads numbers and positions from text. */

const NUMBER = '[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?';
const ONLY_NUMBER = new RegExp(`^\\s*${NUMBER}\\s*$`);
const POSITION = new RegExp(
  `^[\\s"'(\\[{]*(${NUMBER})(?:\\s*[,;]\\s*|\\s+)(${NUMBER})(?:\\s*[,;]\\s*|\\s+)(${NUMBER})[\\s"')\\]},;]*$`,
);

/** Longer texts are no position: the pattern is not tried on them. */
const LONGEST = 200;

/** Reads a decimal number; NaN for any other text, also for one that is too large for a double. */
export function readNumber(text: string): number {
  if (text.length > LONGEST || !ONLY_NUMBER.test(text)) return NaN;
  const number = Number(text);
  return Number.isFinite(number) ? number : NaN;
}

/** Reads a position such as `[1, 2, 3]`, `1, 2, 3` or `1 2 3`; undefined for any other text. */
export function readPosition(text: string): [number, number, number] | undefined {
  const match = text.length > LONGEST ? null : POSITION.exec(text);
  if (!match) return undefined;
  const position = match.slice(1).map(readNumber);
  return position.some(Number.isNaN) ? undefined : (position as [number, number, number]);
}
