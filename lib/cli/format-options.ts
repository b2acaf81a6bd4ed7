/** Refuses options that do not apply to the format of a table. */
import { type FormatOption, formatsWithOption, type IdFormatName } from '../tables/formats.ts';
import { UsageError } from './io.ts';

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
