/** The flags of `serve` that say who may ask. */
import type { Command } from 'commander';
import { ACCESS_OPTIONS, REPEATED_ACCESS_OPTIONS } from '../serve/access/access-options.ts';
import { parseTexts } from './option-values.ts';
import { markRepeatable } from './repeats.ts';
import { createFlag } from './table-flags.ts';

/** Adds the flags. Some may be repeated. */
export function addAccessFlags(command: Command): void {
  for (const [name, row] of Object.entries(ACCESS_OPTIONS)) {
    const isRepeated = (REPEATED_ACCESS_OPTIONS as readonly string[]).includes(name),
      flag = createFlag(isRepeated ? { ...row, says: `${row.says}; may be repeated` } : row);
    command.addOption(isRepeated ? markRepeatable(flag.argParser(parseTexts)) : flag);
  }
}
