/** Options that are for some formats of tables only. */
import { type FormatOption, formatsWithOption, type IdFormatName } from '../tables/formats.ts';
import { UsageError } from './io.ts';

/** @throws UsageError for the first option that is given and not for the format. */
export function refuseOptions(
  format: IdFormatName,
  given: Partial<Record<FormatOption, string | undefined>>,
): void {
  for (const option of Object.keys(given) as FormatOption[]) {
    const others = formatsWithOption(option, format);
    if (given[option] !== undefined && others !== undefined)
      throw new UsageError(
        `--${option} is for ${others}${option === 'missing' ? ': JSON Lines have null' : ''}`,
      );
  }
}
