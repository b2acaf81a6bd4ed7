/** Chooses the formats of tables, and refuses options that do not apply to them. */
import type { TablePath } from '../table-files/cloud-input.ts';
import { reasonNotReadable } from '../tables/file-kinds.ts';
import type { MissingText } from '../tables/missing.ts';
import type { LookupTableOptions } from './table-types.ts';
import { TableError } from '../base/errors.ts';
import type { NameOption } from '../base/option-names.ts';
import {
  FORMAT_NAMES,
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

/** The formats of a table that is looked up. */
export interface TableFormats {
  format: FormatName;
  /** The format of the output, if it is another. */
  output: OutputFormat | undefined;
  /** The format of the output. */
  written: FormatName;
}

/**
 * Chooses the formats of a table of points, and checks the options that depend on them.
 *
 * @param out The output file; - is a stream.
 * @throws TypeError for an option that does not apply; TableError BAD_FORMAT.
 */
export function chooseFormats(
  tables: readonly Pick<TablePath, 'name' | 'stream'>[],
  out: string,
  options: Pick<LookupTableOptions, 'format' | 'outFormat' | 'delimiter' | 'decimal' | 'idType' | 'missing'>,
  nameOf: NameOption,
  warn: (message: string) => void,
): TableFormats {
  const { outFormat, delimiter, decimal, idType, missing } = options;
  requireOneFormat(tables, options.format, nameOf);
  const format = options.format ?? formatOfInput(tables[0], nameOf);
  refuseOptions(format, { delimiter, decimal }, nameOf);
  const output = chooseOutput({ out, outFormat, input: format, isJoined: tables.length > 1 }, nameOf),
    written = output?.format ?? format;
  refuseOptions(written, { idType }, nameOf);
  checkMissingOption(missing, written, nameOf, warn);
  return { format, output, written };
}

function formatOfInput({ name, stream }: Pick<TablePath, 'name' | 'stream'>, nameOf: NameOption): FormatName {
  if (stream) throw new TypeError(`${name} has no suffix that tells its format: add ${nameOf('format')}`);
  const format = formatOfFile(name);
  if (format) return format;
  throw new TableError(
    'BAD_FORMAT',
    reasonNotReadable(name) ??
      `the suffix of ${name} does not tell its format: add ${nameOf('format')} ${FORMAT_NAMES}`,
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

/**
 * Checks the text for a missing answer in CSV and TSV, and warns about `0`.
 * @throws TypeError for a format that has null.
 */
export function checkMissingOption(
  missing: MissingText | undefined,
  format: IdFormatName,
  nameOf: NameOption,
  warn: (message: string) => void,
): void {
  refuseOptions(format, { missing }, nameOf);
  if (missing === '0')
    warn(
      `${nameOf('missing')} 0: a row without an answer looks like background; only its status shows the difference`,
    );
}
