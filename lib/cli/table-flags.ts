/** Flags out of the tables of options. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AnyOptionTable, OptionRow } from '../base/option-table.ts';
import {
  parseInteger,
  parsePositiveNumber,
  parseResolution,
  parseSeconds,
  parseByteSize,
  parseText,
} from './option-values.ts';

/** How a command says it otherwise than the table does. */
export interface FlagWording {
  says?: string;
  default?: string;
  choices?: readonly string[];
  /** Attributes of flags that it cannot be given with. */
  conflicts?: string[];
}

/** By what a flag names its value; any other is a text. */
const PARSERS: Readonly<Record<string, (value: string) => unknown>> = {
  size: parseByteSize,
  seconds: parseSeconds,
  radius: parsePositiveNumber,
  'x,y,z': parseResolution,
  mip: parseInteger,
  layer: parseInteger,
  n: parseInteger,
};

export function createFlag(row: OptionRow, wording: FlagWording = {}): Option {
  const { flag = '', kind, flagSays = row.says } = row,
    { says = flagSays, default: fallback = row.default, choices = kind.words, conflicts } = wording;
  const [, value] = /<(.*)>$/.exec(flag) ?? [];
  const isTold = value === undefined || fallback === undefined || says.includes('(default: ');
  const option = new Option(flag, isTold ? says : `${says} (default: ${fallback.replace(/^'(.*)'$/, '$1')})`);
  if (conflicts) option.conflicts(conflicts);
  if (choices) return option.choices(choices);
  if (value === undefined) return option;
  const parse = PARSERS[value] ?? parseText;
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
    throw new InvalidArgumentError(`expected ${kind.expected}.`);
  }
}

/** Gives a command the flags of some options of a table. */
export function addFlags<Table extends AnyOptionTable>(
  command: Command,
  table: Table,
  names: readonly (keyof Table & string)[],
  wording: { readonly [Name in keyof Table]?: FlagWording } = {},
): Command {
  for (const name of names) command.addOption(createFlag(table[name], wording[name]));
  return command;
}
