/** How the command line calls the options of the SDK: by their flags. */
import type { AnyOptionTable } from '../base/option-table.ts';
import type { NameOption } from '../base/option-names.ts';
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import { SCATTERED_OPTIONS } from '../graphene/reading-options.ts';

const IN_TABLES: AnyOptionTable = { ...GRAPHENE_OPTIONS, ...SCATTERED_OPTIONS };

/**
 * Calls options by their flags: `idType` is `--id-type`, and `sink` is `--out`.
 * @param source What names the tables that are read.
 */
export const flagNames =
  (source: string): NameOption =>
  (name) => {
    if (name === 'source') return source;
    if (name === 'sink') return '--out';
    const row = Object.hasOwn(IN_TABLES, name) ? IN_TABLES[name] : undefined;
    return row?.flag?.split(' ')[0] ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  };
