/** Options that a command cannot do without: told of last, after one that it does not know. */
import type { Command, Option } from 'commander';

const needed = new WeakSet<Option>();

export function markRequired(option: Option): Option {
  needed.add(option);
  return option;
}

/** Has all commands below refuse to begin without them. */
export function refuseMissing(program: Command): void {
  program.hook('preAction', (_program, command) => {
    for (const option of command.options)
      if (needed.has(option) && command.getOptionValue(option.attributeName()) === undefined)
        command.error(`error: required option '${option.flags}' not specified`);
  });
}
