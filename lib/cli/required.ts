/**
 * Checks required options. Commander would report a missing option before an unknown one; here the unknown
 * option comes first.
 */
import type { Command, Option } from 'commander';

const needed = new WeakSet<Option>();

/** Makes an option required. */
export function markRequired(option: Option): Option {
  needed.add(option);
  return option;
}

/** Makes all subcommands refuse to run without their required options. */
export function refuseMissing(program: Command): void {
  program.hook('preAction', (_program, command) => {
    for (const option of command.options)
      if (needed.has(option) && command.getOptionValue(option.attributeName()) === undefined)
        command.error(`error: required option '${option.flags}' not specified`);
  });
}
