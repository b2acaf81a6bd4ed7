/**
 * The bits of a prediction that is NaN. The format leaves them to the processor; this file follows x86-64, where
 * nearly all streams are written: the result of an operation is its first operand that is NaN, made quiet, or a
 * negative quiet NaN if neither is. JavaScript does not promise any bits of a NaN.
 */
import type { Front } from './front.ts';

/**
 * Writes the words of a prediction, low word first.
 *
 * @param hasLeft Whether the value has neighbours to its left; if not, they are 0.
 * @param at The index of the value in the front; `above`, `behind` and `behindAbove` are those of its neighbours.
 */
export function predictNaN(
  { values, words }: Front,
  hasLeft: boolean,
  at: number,
  above: number,
  behind: number,
  behindAbove: number,
  result: Int32Array,
): void {
  const wide = words.length > values.length,
    high = wide ? 1 : 0;
  // In the order in which the decoder adds and subtracts them, every second one.
  const neighbours = [at - 1, behindAbove, above, behind - 1, behind, above - 1, behindAbove - 1];
  const left = [0, 3, 5, 6];
  let sum = 0;
  for (const [k, index] of neighbours.entries()) {
    const value = hasLeft || !left.includes(k) ? values[index] : 0;
    if (Number.isNaN(value)) {
      if (wide) result[0] = words[2 * index];
      result[high] = words[index * (wide ? 2 : 1) + high] | (wide ? 0x80000 : 0x400000);
      return;
    }
    sum = k % 2 === 1 ? sum - value : sum + value;
    if (!wide) sum = Math.fround(sum);
    if (Number.isNaN(sum)) break;
  }
  if (wide) result[0] = 0;
  result[high] = wide ? 0xfff80000 : 0xffc00000;
}
