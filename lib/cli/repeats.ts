/** Refuses options that are given twice. Commander would silently use the last value. */
import type { Command, Option } from 'commander';

const repeatable = new WeakSet<Option>();

/** Allows an option to be given several times. */
export function markRepeatable(option: Option): Option {
  repeatable.add(option);
  return option;
}

/**
 * Makes a command and its subcommands refuse a second value of every other option. Call it after all options
 * are added.
 */
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
