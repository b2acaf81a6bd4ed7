/** The tables of a report. */
import { html, type Html, type HtmlValue } from './safe-html.ts';

/** A column of a table. */
export interface Column {
  name: string;
  /** `number`: aligned to the right. `wide`: may break anywhere. @default text */
  kind?: 'number' | 'wide' | 'bar';
}

const CLASSES = { number: 'n', wide: 'wide', bar: 'bar' } as const;

/** Makes a table. The first cell of each row is its head. @param caption What the table shows. */
export function table(
  caption: HtmlValue,
  columns: readonly (Column | string)[],
  rows: readonly (readonly HtmlValue[])[],
): Html {
  const all = columns.map((column) => (typeof column === 'string' ? { name: column } : column)),
    classOf = ({ kind }: Column): string => (kind ? CLASSES[kind] : 't');
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${all.map((column) => html`<th scope="col" class="${classOf(column)}">${column.name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (cells) =>
          html`<tr>
            ${cells.map((cell, k) =>
              k === 0
                ? html`<th scope="row" class="${classOf(all[k])}">${cell}</th>`
                : html`<td class="${classOf(all[k])}">${cell}</td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Makes a list of names and values. A value that is undefined is left out, with its name. */
export const facts = (rows: readonly (readonly [name: string, value: HtmlValue])[]): Html =>
  html`<dl class="facts">
    ${rows
      .filter(([, value]) => value !== undefined && value !== '')
      .map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
  </dl>`;

/** Makes a bar of the part of a whole; a part that is not 0 is seen. */
export const bar = (part: number, all: number, variable = '--accent'): Html => {
  const width = all > 0 && part > 0 ? Math.max(0.6, (100 * part) / all) : 0;
  return html`<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect width="100" height="10" fill="var(--grid)" />
    <rect width="${width.toFixed(2)}" height="10" fill="var(${variable})" />
  </svg>`;
};
