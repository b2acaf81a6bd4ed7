/** Refuses options that do not apply to the format of a table. */
import {
  type FormatName,
  formatOfFile,
  type FormatOption,
  formatsWithOption,
  type IdFormatName,
} from '../tables/formats.ts';
import { isColumnar } from '../tables/open-table.ts';
import type { OutputFormat } from '../tables/convert/outputs.ts';
import { UsageError } from './io.ts';

/**
 * Checks the formats of several files of one table, by their suffixes.
 * @param named The format of `--format`.
 * @throws UsageError if they differ.
 */
export function requireOneFormat(
  option: string,
  files: readonly { name: string }[],
  named: FormatName | undefined,
): void {
  if (files.length < 2) return;
  const format = named ?? formatOfFile(files[0].name),
    other = named ? undefined : files.find(({ name }) => formatOfFile(name) !== format);
  if (other)
    throw new UsageError(
      `${option} ${other.name} does not have the format of ${files[0].name} by its suffix: files of one table need the same format`,
    );
}

/** The flags and the input that decide the format of the output. */
export interface OutputChoice {
  /** The output file; - is standard output. */
  out: string;
  /** The format of `--out-format`. */
  outFormat?: FormatName;
  /** The format of the input. */
  input: IdFormatName;
  /** Whether the input is several files. @default false */
  isJoined?: boolean;
}

/**
 * Chooses the format of the output: that of `--out-format`, of the suffix of the output, or of the input.
 *
 * @returns undefined if the rows of the input are written as they are.
 * @throws UsageError if the flag and the suffix name two formats.
 */
export function chooseOutput({
  out,
  outFormat,
  input,
  isJoined = false,
}: OutputChoice): OutputFormat | undefined {
  const suffix = out === '-' ? undefined : formatOfFile(out),
    own = input === 'list' ? 'csv' : input === 'tab-list' ? 'tsv' : input;
  if (outFormat !== undefined && suffix !== undefined && suffix !== outFormat)
    throw new UsageError(`--out ${out} and --out-format ${outFormat} name two formats`);
  const format = outFormat ?? suffix ?? own;
  if (format === own && !(isJoined && isColumnar(own))) return undefined;
  return { format, isStream: out === '-' || out.toLowerCase().endsWith('.arrows') };
}

/** Checks the options of a table. @throws UsageError for the first that does not apply to the format. */
export function refuseOptions(
  format: IdFormatName,
  given: Partial<Record<FormatOption, string | undefined>>,
): void {
  for (const option of Object.keys(given) as FormatOption[]) {
    const others = formatsWithOption(option, format);
    if (given[option] !== undefined && others !== undefined)
      throw new UsageError(
        `--${option} is for ${others}${option === 'missing' ? `: in ${format === 'jsonl' ? 'JSON Lines' : format} a missing answer is null` : ''}`,
      );
  }
}
