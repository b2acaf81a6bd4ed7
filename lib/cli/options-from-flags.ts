/** Options out of the flags of their table. */
import type { OptionRow, OptionTable } from '../base/option-table.ts';

/** `--cache-dir <folder>` → `cacheDir`, as commander calls it. */
export const attributeOfFlag = (flag: string): string =>
  flag
    .split(' ')[0]
    .replace(/^--(no-)?/, '')
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The options of a table that flags were given for. */
export function optionsFromFlags<Options>(table: OptionTable<Options>, flags: object): Partial<Options> {
  const options: Record<string, unknown> = {};
  for (const [name, { flag, flagMeans }] of Object.entries<OptionRow>(table)) {
    if (flag === undefined) continue;
    const value = (flags as Readonly<Record<string, unknown>>)[attributeOfFlag(flag)];
    // Of a flag that begins with `--no-` commander says true where it was not given.
    if (value === undefined || (flag.startsWith('--no-') && value === true)) continue;
    options[name] = value === true && flagMeans !== undefined ? flagMeans : value;
  }
  return options as Partial<Options>;
}
