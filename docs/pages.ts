/** The pages of this folder that come from tables in the code. */
import { errorsPage } from './errors-page.ts';
import { optionsPage } from './options-page.ts';

export const PAGES: Readonly<Record<string, () => string>> = {
  'errors.md': errorsPage,
  'options.md': optionsPage,
};
