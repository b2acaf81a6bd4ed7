/**
 * The formats of tables: their suffixes and their options. `open-table.ts` connects each format to its reader
 * and writer.
 */

/** The formats whose rows are lines of text. Their tables may be compressed. */
const TEXT_FORMATS = ['csv', 'tsv', 'jsonl'] as const;
/** A format whose rows are lines of text. */
export type TextFormatName = (typeof TEXT_FORMATS)[number];
/** The formats of typed columns. */
const COLUMNAR_FORMATS = ['parquet', 'arrow', 'npy', 'npz'] as const;
/** A format of typed columns. */
export type ColumnarFormatName = (typeof COLUMNAR_FORMATS)[number];

/** A format of tables. `jsonl` is JSON Lines, and `arrow` is also Feather. */
export type FormatName = 'csv' | 'tsv' | 'jsonl' | 'parquet' | 'arrow' | 'npy' | 'npz';
/** The formats that a user can name. */
export const FORMATS = [...TEXT_FORMATS, ...COLUMNAR_FORMATS] as const satisfies readonly FormatName[];

/**
 * A format of a table of IDs. `list` and `tab-list` have one ID per line and no header; `list` is written as
 * CSV, `tab-list` as TSV.
 */
export type IdFormatName = FormatName | 'list' | 'tab-list';

/** The options that apply to some formats only. */
export type FormatOption = 'delimiter' | 'decimal' | 'missing' | 'idType';

const SUFFIXES: Readonly<Record<FormatName, readonly string[]>> = {
  csv: ['csv'],
  tsv: ['tsv'],
  jsonl: ['jsonl', 'ndjson'],
  arrow: ['arrow', 'feather', 'ipc', 'arrows'],
  parquet: ['parquet', 'pq'],
  npy: ['npy'],
  npz: ['npz'],
};

const OPTIONS: Readonly<Record<FormatName, readonly FormatOption[]>> = {
  csv: ['delimiter', 'decimal', 'missing'],
  tsv: ['delimiter', 'decimal', 'missing'],
  jsonl: [],
  arrow: ['idType'],
  parquet: ['idType'],
  npy: ['idType'],
  npz: ['idType'],
};

/** Whether a text is a character that can stand between fields: not part of a number or of a quoted field. */
export const isDelimiter = (text: string): boolean => /^[\t -~]$/.test(text) && !/["\w.+-]/.test(text);

/** The suffixes of each compression, the usual suffix first. */
const PACKINGS = { gzip: ['gz', 'gzip'], zstd: ['zst', 'zstd'] } as const;
/** The compression of a table. */
export type TableCompression = keyof typeof PACKINGS;

/** Returns the last suffix of a path and the suffix before it, in lower case. */
function suffixesOf(path: string): { last?: string; before?: string } {
  const [, before, last] = /(?:\.([^./\\]+))?\.([^./\\]+)$/.exec(path.toLowerCase()) ?? [];
  return { last, before };
}

/** Returns the compression that the suffix of a file names. */
export function compressionOfFile(path: string): TableCompression | undefined {
  const { last } = suffixesOf(path);
  return (Object.keys(PACKINGS) as TableCompression[]).find((packing) => includes(PACKINGS[packing], last));
}

/**
 * Returns the format that the suffix of a file names, in front of the suffix of its compression; undefined
 * for any other suffix.
 */
export function formatOfFile(path: string): FormatName | undefined {
  const { last, before } = suffixesOf(path),
    isCompressed = compressionOfFile(path) !== undefined,
    formats: readonly FormatName[] = isCompressed ? TEXT_FORMATS : FORMATS;
  return formats.find((name) => includes(SUFFIXES[name], isCompressed ? before : last));
}

const includes = (suffixes: readonly string[], suffix: string | undefined): boolean =>
  suffix !== undefined && suffixes.includes(suffix);

/** The suffixes that are read and written, as text for messages. */
export const KNOWN_SUFFIXES = `${listed(suffixesOfAll(TEXT_FORMATS), 'and')}, each also as ${listed(
  Object.values(PACKINGS).map(([suffix]) => `.${suffix}`),
  'or',
)}, and ${listed(suffixesOfAll(COLUMNAR_FORMATS), 'and')}`;

/**
 * Lists the formats that have an option, such as `csv and tsv`. Returns undefined if this format is among
 * them.
 */
export function formatsWithOption(option: FormatOption, format: IdFormatName): string | undefined {
  const formats = FORMATS.filter((name) => OPTIONS[name].includes(option));
  const name = format === 'list' ? 'csv' : format === 'tab-list' ? 'tsv' : format;
  return formats.includes(name) ? undefined : listed(formats, 'and');
}

function suffixesOfAll(formats: readonly FormatName[]): string[] {
  return formats.flatMap((name) => SUFFIXES[name]).map((suffix) => `.${suffix}`);
}

/** The names of all formats, as text for messages. */
export const FORMAT_NAMES = listed(FORMATS, 'or');

function listed(names: readonly string[], word: string): string {
  return names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} ${word} ${names[names.length - 1]}`;
}
