/** Tables as pandas writes them, which change logs are answered in. */
import { reply, type MockResponse } from '../message.ts';
import { HTML_TYPE } from './endpoint-replies.ts';
import { flag } from './parameters.ts';
import { toJson } from './python-values.ts';

/** Rows of a table by name of the column; `labels` are the row numbers, which have gaps once rows are left out. */
export interface DataFrame {
  labels: number[];
  columns: Record<string, unknown[]>;
}

/** @param keep Rows that are left out keep their numbers. @default all */
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

/** The answer of one table. */
export const dataFrameReply = (query: URLSearchParams, frame: DataFrame): MockResponse =>
  reply(200, HTML_TYPE, flag(query, 'disp') ? frameHtml(frame) : dataFrameJson(frame));

/** `{"column":{"row":value}}`. */
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
