/** Converts the flags of a command to the options of the SDK, by the option tables. */
import type { OptionRow, OptionTable } from '../base/option-table.ts';

/** Returns the name that commander gives to a flag: `--cache-dir <folder>` gives `cacheDir`. */
export const attributeOfFlag = (flag: string): string =>
  flag
    .split(' ')[0]
    .replace(/^--(no-)?/, '')
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Returns the options of a table for which a flag is set. */
export function optionsFromFlags<Options>(table: OptionTable<Options>, flags: object): Partial<Options> {
  const options: Record<string, unknown> = {};
  for (const [name, { flag, flagMeans }] of Object.entries<OptionRow>(table)) {
    if (flag === undefined) continue;
    const value = (flags as Readonly<Record<string, unknown>>)[attributeOfFlag(flag)];
    // Commander sets a flag that begins with `--no-` to true if it is absent.
    if (value === undefined || (flag.startsWith('--no-') && value === true)) continue;
    options[name] = value === true && flagMeans !== undefined ? flagMeans : value;
  }
  return options as Partial<Options>;
}
