/** The formats of tables: what their files are called, and which options are for them. `open-table.ts` says what reads and writes each. */

export const FORMATS = ['csv', 'tsv', 'jsonl'] as const;
export type FormatName = (typeof FORMATS)[number];

/** `list`: one ID a line and nothing else; it is written as CSV, `tab-list` as TSV. */
export type IdFormatName = FormatName | 'list' | 'tab-list';

/** Options that are not for every format, as the command line calls them. */
export type FormatOption = 'delimiter' | 'decimal' | 'missing';

const SUFFIXES: Readonly<Record<FormatName, readonly string[]>> = {
  csv: ['csv'],
  tsv: ['tsv'],
  jsonl: ['jsonl', 'ndjson'],
};

const OPTIONS: Readonly<Record<FormatName, readonly FormatOption[]>> = {
  csv: ['delimiter', 'decimal', 'missing'],
  tsv: ['delimiter', 'decimal', 'missing'],
  jsonl: [],
};

/** What tables may be packed with, all of them alike: suffixes, the usual one first. */
const PACKINGS = { gzip: ['gz', 'gzip'], zstd: ['zst', 'zstd'] } as const;
export type TableCompression = keyof typeof PACKINGS;

/** Suffixes of a path, in lower case: the last, and the one before it. */
function suffixesOf(path: string): { last?: string; before?: string } {
  const [, before, last] = /(?:\.([^./\\]+))?\.([^./\\]+)$/.exec(path.toLowerCase()) ?? [];
  return { last, before };
}

/** What a file is packed with, by its suffix. */
export function compressionOfFile(path: string): TableCompression | undefined {
  const { last } = suffixesOf(path);
  return (Object.keys(PACKINGS) as TableCompression[]).find((packing) => includes(PACKINGS[packing], last));
}

/** Format of a file by its suffix, that of its packing left out; undefined for any other. */
export function formatOfFile(path: string): FormatName | undefined {
  const { last, before } = suffixesOf(path),
    suffix = compressionOfFile(path) === undefined ? last : before;
  return FORMATS.find((name) => includes(SUFFIXES[name], suffix));
}

const includes = (suffixes: readonly string[], suffix: string | undefined): boolean =>
  suffix !== undefined && suffixes.includes(suffix);

/** Suffixes of files that are read and written, for messages. */
export const KNOWN_SUFFIXES = `${listed(
  FORMATS.flatMap((name) => SUFFIXES[name]).map((suffix) => `.${suffix}`),
  'and',
)}, each also as ${listed(
  Object.values(PACKINGS).map(([suffix]) => `.${suffix}`),
  'or',
)}`;

/** @returns undefined for an option of this format; else the formats that it is for: `csv and tsv`. */
export function formatsWithOption(option: FormatOption, format: IdFormatName): string | undefined {
  const takers = FORMATS.filter((name) => OPTIONS[name].includes(option));
  const name = format === 'list' ? 'csv' : format === 'tab-list' ? 'tsv' : format;
  return takers.includes(name) ? undefined : listed(takers, 'and');
}

function listed(names: readonly string[], word: string): string {
  return names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} ${word} ${names[names.length - 1]}`;
}
