/** Tables in the JSON and HTML of pandas, as change logs are answered. */
import { reply, type MockResponse } from '../message.ts';
import { HTML_TYPE } from './endpoint-replies.ts';
import { flag } from './parameters.ts';
import { toJson } from './python-values.ts';

/** A table. `columns` holds its values by column name, and `labels` its row numbers, which may have gaps. */
export interface DataFrame {
  labels: number[];
  columns: Record<string, unknown[]>;
}

/**
 * Makes a table from rows.
 * @param keep Selects rows; the others leave gaps in the row numbers.
 *   By default all rows are kept.
 */
export function toDataFrame<Row extends object>(
  rows: readonly Row[],
  names: readonly (keyof Row & string)[],
  keep: (row: Row) => boolean = () => true,
): DataFrame {
  const labels = [...rows.keys()].filter((k) => keep(rows[k]));
  return {
    labels,
    columns: Object.fromEntries(names.map((name) => [name, labels.map((k) => rows[k][name])])),
  };
}

/** The reply of one table: HTML if the request has `disp`, else JSON. */
export const dataFrameReply = (query: URLSearchParams, frame: DataFrame): MockResponse =>
  reply(200, HTML_TYPE, flag(query, 'disp') ? frameHtml(frame) : dataFrameJson(frame));

/** A table as JSON: `{"column":{"row":value}}`. */
export const dataFrameJson = ({ labels, columns }: DataFrame): string =>
  toJson(
    Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [
        name,
        Object.fromEntries(values.map((value, k) => [labels[k], value])),
      ]),
    ),
  ).trimEnd();

function frameHtml({ labels, columns }: DataFrame): string {
  const names = Object.keys(columns);
  const cell = (value: unknown): string =>
    `<td>${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}</td>`;
  const rows = labels.map(
    (label, k) => `<tr><th>${label}</th>${names.map((name) => cell(columns[name][k])).join('')}</tr>`,
  );
  const head = names.map((name) => `<th>${name}</th>`).join('');
  return `<table border="1" class="dataframe"><thead><tr><th></th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
