/** Values of query parameters that a JSON schema cannot describe. */
import { parsePositiveVec3 } from '../../base/vec3.ts';

/** Parses three positive numbers: `4,4,40`. @throws TypeError that names the parameter. */
export function parseTriple(name: string, text: string): [number, number, number] {
  const numbers = parsePositiveVec3(text);
  if (!numbers)
    throw new TypeError(
      `${name} is ${JSON.stringify(text)}: expected three positive numbers, such as 4,4,40`,
    );
  return numbers;
}
