/** Creates the flags of commands from the option tables. */
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

/** What a command changes about the flag of an option table. */
export interface FlagWording {
  says?: string;
  default?: string;
  choices?: readonly string[];
  /** The attributes of the flags that it excludes. */
  conflicts?: string[];
}

/** The parser for each value name of a flag, such as `<size>`. Other values are parsed as text. */
const PARSERS: Readonly<Record<string, (value: string) => unknown>> = {
  size: parseByteSize,
  seconds: parseSeconds,
  radius: parsePositiveNumber,
  'x,y,z': parseResolution,
  mip: parseInteger,
  layer: parseInteger,
  n: parseInteger,
  'n|auto': (value) => (value === 'auto' ? value : parseInteger(value)),
};

/** Creates the flag of one row of an option table. Its parser also checks the kind of the value. */
export function createFlag(row: OptionRow, wording: FlagWording = {}): Option {
  const { flag = '', kind, flagSays = row.says } = row,
    { says = flagSays, default: fallback = row.default, choices = kind.words, conflicts } = wording;
  const [, value] = /<(.*)>$/.exec(flag) ?? [];
  const isComplete = value === undefined || fallback === undefined || says.includes('(default: ');
  const option = new Option(
    flag,
    isComplete ? says : `${says} (default: ${fallback.replace(/^'(.*)'$/, '$1')})`,
  );
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

/** Adds the flags of some options of a table to a command. */
export function addFlags<Table extends AnyOptionTable>(
  command: Command,
  table: Table,
  names: readonly (keyof Table & string)[],
  wording: { readonly [Name in keyof Table]?: FlagWording } = {},
): Command {
  for (const name of names) command.addOption(createFlag(table[name], wording[name]));
  return command;
}
