/** Options that are given twice: an error, where commander would drop the first without a word. */
import type { Command, Option } from 'commander';

const repeatable = new WeakSet<Option>();

/** An option that may be given several times. */
export function markRepeatable(option: Option): Option {
  repeatable.add(option);
  return option;
}

/** Has a command and all below it refuse a second value of every other option. To be called when all its options are there. */
export function refuseRepeats(command: Command): void {
  for (const option of command.options) {
    if (repeatable.has(option)) continue;
    let given = 0;
    command.on(`option:${option.name()}`, () => {
      if (++given === 2) command.error(`error: option '${option.flags}' is given twice`);
    });
  }
  for (const below of command.commands) refuseRepeats(below);
}
