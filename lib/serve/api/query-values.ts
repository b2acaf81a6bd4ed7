/** Values of query parameters that a JSON schema cannot describe. */

/** Parses three positive numbers: `4,4,40`. @throws TypeError that names the parameter. */
export function parseTriple(name: string, text: string): [number, number, number] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (numbers.length !== 3 || !numbers.every((number) => number > 0 && Number.isFinite(number)))
    throw new TypeError(
      `${name} is ${JSON.stringify(text)}: expected three positive numbers, such as 4,4,40`,
    );
  return numbers as [number, number, number];
}
