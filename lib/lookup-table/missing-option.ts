/** Checks `missing`, the text for a missing answer in CSV and TSV. */
import type { MissingText } from '../tables/text/answer-cells.ts';
import type { IdFormatName } from '../tables/formats.ts';
import { refuseOptions } from './format-options.ts';
import type { NameOption } from '../base/option-names.ts';

/** Warns about `0`. @throws TypeError for a format that has null. */
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
