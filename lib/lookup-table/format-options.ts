/** Chooses the formats of tables, and refuses options that do not apply to them. */
import { TableError } from '../base/errors.ts';
import type { NameOption } from '../base/option-names.ts';
import {
  type FormatName,
  formatOfFile,
  type FormatOption,
  formatsWithOption,
  type IdFormatName,
} from '../tables/formats.ts';
import { isColumnar } from '../tables/open-table.ts';
import type { OutputFormat } from '../tables/convert/outputs.ts';

/**
 * Checks the formats of several files of one table, by their suffixes.
 * @param named The format that the user named.
 * @throws TableError BAD_FORMAT if they differ.
 */
export function requireOneFormat(
  files: readonly { name: string }[],
  named: FormatName | undefined,
  nameOf: NameOption,
): void {
  if (files.length < 2) return;
  const format = named ?? formatOfFile(files[0].name),
    other = named ? undefined : files.find(({ name }) => formatOfFile(name) !== format);
  if (other)
    throw new TableError(
      'BAD_FORMAT',
      `${nameOf('source')} ${other.name} does not have the format of ${files[0].name} by its suffix: files of one table need the same format`,
    );
}

/** What decides the format of the output. */
export interface OutputChoice {
  /** The output file; - is a stream. */
  out: string;
  /** The format that the user named. */
  outFormat?: FormatName;
  /** The format of the input. */
  input: IdFormatName;
  /** Whether the input is several files. @default false */
  isJoined?: boolean;
}

/**
 * Chooses the format of the output: the one that is named, that of the suffix of the output, or of the input.
 *
 * @returns undefined if the rows of the input are written as they are.
 * @throws TypeError if the option and the suffix name two formats.
 */
export function chooseOutput(
  { out, outFormat, input, isJoined = false }: OutputChoice,
  nameOf: NameOption,
): OutputFormat | undefined {
  const suffix = out === '-' ? undefined : formatOfFile(out),
    own = input === 'list' ? 'csv' : input === 'tab-list' ? 'tsv' : input;
  if (outFormat !== undefined && suffix !== undefined && suffix !== outFormat)
    throw new TypeError(`${nameOf('sink')} ${out} and ${nameOf('outFormat')} ${outFormat} name two formats`);
  const format = outFormat ?? suffix ?? own;
  if (format === own && !(isJoined && isColumnar(own))) return undefined;
  return { format, isStream: out === '-' || out.toLowerCase().endsWith('.arrows') };
}

/** Checks the options of a table. @throws TypeError for the first that does not apply to the format. */
export function refuseOptions(
  format: IdFormatName,
  given: Partial<Record<FormatOption, string | undefined>>,
  nameOf: NameOption,
): void {
  for (const option of Object.keys(given) as FormatOption[]) {
    const others = formatsWithOption(option, format);
    if (given[option] !== undefined && others !== undefined)
      throw new TypeError(
        `${nameOf(option)} is for ${others}${option === 'missing' ? `: in ${format === 'jsonl' ? 'JSON Lines' : format} a missing answer is null` : ''}`,
      );
  }
}
