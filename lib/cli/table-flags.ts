/** Flags out of the tables of options. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AnyTable, OptionRow } from '../base/options.ts';
import { integer, positiveNumber, resolution, seconds, size, text } from './option-values.ts';

/** How a command says it otherwise than the table does. */
export interface Wording {
  says?: string;
  default?: string;
  choices?: readonly string[];
  /** Attributes of flags that it cannot be given with. */
  conflicts?: string[];
}

/** By what a flag names its value; any other is a text. */
const PARSERS: Readonly<Record<string, (value: string) => unknown>> = {
  size,
  seconds,
  radius: positiveNumber,
  'x,y,z': resolution,
  mip: integer,
  layer: integer,
  n: integer,
};

export function flagOf(row: OptionRow, wording: Wording = {}): Option {
  const { flag = '', kind, flagSays = row.says } = row,
    { says = flagSays, default: fallback = row.default, choices = kind.words, conflicts } = wording;
  const [, value] = /<(.*)>$/.exec(flag) ?? [];
  const isTold = value === undefined || fallback === undefined || says.includes('(default: ');
  const option = new Option(flag, isTold ? says : `${says} (default: ${fallback.replace(/^'(.*)'$/, '$1')})`);
  if (conflicts) option.conflicts(conflicts);
  if (choices) return option.choices(choices);
  if (value === undefined) return option;
  const parse = PARSERS[value] ?? text;
  return option.argParser((given: string) => {
    const parsed = parse(given);
    if (typeof parsed === 'number') checkNumber(parsed, row);
    return parsed;
  });
}

function checkNumber(value: number, { kind }: OptionRow): void {
  try {
    kind.check('it', value);
  } catch {
    throw new InvalidArgumentError(`expected ${kind.wanted}.`);
  }
}

/** Gives a command the flags of some options of a table. */
export function addFlags<Table extends AnyTable>(
  command: Command,
  table: Table,
  names: readonly (keyof Table & string)[],
  wording: { readonly [Name in keyof Table]?: Wording } = {},
): Command {
  for (const name of names) command.addOption(flagOf(table[name], wording[name]));
  return command;
}
