/**
 * The table of rows. Tabulator shows one page of rows and draws those in sight; sorting and filtering are our own,
 * on columns of numbers, so that 100,000 rows stay quick.
 */
import {
  AjaxModule,
  type ColumnDefinition,
  FormatModule,
  InteractionModule,
  PageModule,
  ResizeColumnsModule,
  ResizeTableModule,
  type RowComponent,
  SortModule,
  Tabulator,
} from 'tabulator-tables';
import { Change } from '../answers/answers.ts';
import { type RowSort, type SortableRows, sortRows } from '../answers/row-order.ts';
import { statusWords } from '../answers/status-words.ts';
import { make } from './dom.ts';

Tabulator.registerModule([
  AjaxModule,
  FormatModule,
  InteractionModule,
  PageModule,
  ResizeColumnsModule,
  ResizeTableModule,
  SortModule,
]);

/** What the table shows. */
export interface TableRows extends SortableRows {
  readonly columns: readonly { readonly name: string; readonly values: readonly string[] }[];
}

type Cells = Record<string, string | number>;

/** Rows of one page. */
const PAGE = 500;
/** More columns of the reader's own are kept, and written, but not shown. */
const SHOWN_COLUMNS = 8;
const CHANGES = { [Change.unknown]: '', [Change.same]: 'same', [Change.changed]: 'changed' } as Record<
  number,
  string
>;

const text = (value: unknown): HTMLElement => make('span', { textContent: String(value) });

export class RowTable {
  readonly #table: Tabulator;
  readonly #onRow: (row: number, extend: boolean) => void;
  #data: TableRows | undefined;
  /** Rows that pass the filter, in the order of the points. */
  #filtered: Uint32Array = new Uint32Array();
  /** Rows in the order of the table. */
  #rows: Uint32Array = new Uint32Array();
  #sort: RowSort | undefined;
  #selected: ReadonlySet<number> = new Set();
  /** The row whose button the Tab key reaches. */
  #current = 0;
  /** Ends when the last change of the table has. */
  #turn: Promise<void>;
  readonly #onceLoaded: (() => void)[] = [];

  constructor(element: HTMLElement, onRow: (row: number, extend: boolean) => void) {
    this.#onRow = onRow;
    this.#table = new Tabulator(element, {
      height: 420,
      layout: 'fitDataStretch',
      index: 'row',
      nestedFieldSeparator: false,
      columns: this.#columns(),
      columnDefaults: {
        resizable: 'header',
        headerSortTristate: true,
        titleFormatter: headerButton,
        formatter: (cell) => text(cell.getValue()),
      },
      placeholder: 'No row passes the filter.',
      pagination: true,
      footerElement: '#pages', // outside of the grid, which may hold rows only
      paginationMode: 'remote',
      paginationSize: PAGE,
      paginationButtonCount: 3,
      sortMode: 'remote',
      ajaxURL: 'rows', // never requested: the rows come from this page
      ajaxRequestFunc: (_url: string, _config: unknown, params: unknown) =>
        Promise.resolve(this.#page(params as PageParams)),
      dataLoader: false,
      rowFormatter: (row) => this.#mark(row),
    });
    this.#turn = new Promise((resolve) => this.#table.on('tableBuilt', () => resolve()));
    this.#table.on('dataProcessed', () => this.#onceLoaded.splice(0).forEach((resolve) => resolve()));
    this.#table.on('rowClick', (event, row) => {
      const { shiftKey, ctrlKey, metaKey } = event as MouseEvent;
      this.#onRow(row.getData().row as number, shiftKey || ctrlKey || metaKey);
    });
    this.#table.on('tableBuilt', () =>
      element.querySelector('.tabulator-tableholder')?.removeAttribute('tabindex'),
    ); // its buttons scroll it
    element.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** The rows in the order of the table. */
  get rows(): Uint32Array {
    return this.#rows;
  }

  /** Shows other points. */
  setData(data: TableRows, rows: Uint32Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#data = data;
      this.#current = 0;
      this.#order(rows);
      if (this.#table.getSorters().length > 0) {
        const sorted = new Promise<void>((resolve) => this.#onceLoaded.push(resolve));
        this.#table.clearSort();
        await sorted;
      }
      this.#table.setColumns(this.#columns());
      await this.#table.setPage(1);
    });
  }

  /** Shows the rows that pass another filter. */
  setRows(rows: Uint32Array, firstPage = true): Promise<void> {
    return this.#inTurn(async () => {
      this.#order(rows);
      const page = firstPage ? 1 : Number(this.#table.getPage());
      await this.#table.setPage(Math.max(1, Math.min(page, Math.ceil(rows.length / PAGE))));
    });
  }

  /** Shows or hides what depends on a second timestamp. */
  showColumns(): Promise<void> {
    return this.#inTurn(async () => {
      this.#table.setColumns(this.#columns());
      await this.#table.replaceData();
    });
  }

  /** Fills in answers that have come for rows of the page. */
  fill(): Promise<void> {
    return this.#inTurn(async () => {
      for (const row of this.#table.getRows()) {
        const before = row.getData(),
          now = this.#cells(before.row as number);
        if (Object.keys(now).some((field) => now[field] !== before[field])) await row.update(now);
      }
    });
  }

  /** Marks rows, and brings the first of them into sight if asked. */
  select(rows: ReadonlySet<number>, reveal: boolean): Promise<void> {
    return this.#inTurn(async () => {
      this.#selected = rows;
      const [first] = rows;
      if (reveal && first !== undefined) {
        this.#current = first;
        const place = this.#rows.indexOf(first);
        if (place >= 0) {
          const page = Math.floor(place / PAGE) + 1;
          if (this.#table.getPage() !== page) await this.#table.setPage(page);
          await this.#table.scrollToRow(first, 'nearest', false).catch(() => undefined);
        }
      }
      for (const row of this.#table.getRows()) this.#mark(row);
    });
  }

  /** Tabulator loads one page at a time: a second load would undo the first. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #order(rows: Uint32Array): void {
    this.#filtered = rows;
    this.#rows = this.#sort && this.#data ? sortRows(rows.slice(), this.#sort, this.#data) : rows;
    if (!this.#rows.includes(this.#current)) this.#current = this.#rows[0] ?? 0;
  }

  #page({ page = 1, size = PAGE, sort = [] }: PageParams): unknown {
    const [first] = sort,
      wanted = first && { column: first.field, descending: first.dir === 'desc' };
    if (wanted?.column !== this.#sort?.column || wanted?.descending !== this.#sort?.descending) {
      this.#sort = wanted;
      this.#order(this.#filtered);
    }
    const rows = this.#rows.subarray((page - 1) * size, page * size);
    return {
      last_page: Math.max(1, Math.ceil(this.#rows.length / size)),
      last_row: this.#rows.length,
      data: Array.from(rows, (row) => this.#cells(row)),
    };
  }

  #cells(row: number): Cells {
    const { coordinates, answers, columns } = this.#data!;
    const cells: Cells = {
      row,
      number: row + 1,
      x: toText(coordinates[3 * row]),
      y: toText(coordinates[3 * row + 1]),
      z: toText(coordinates[3 * row + 2]),
      supervoxel: answers.supervoxelText(row),
      root: answers.rootText(row),
      status: answers.statusText(row),
      otherRoot: answers.otherRootText(row),
      change: CHANGES[answers.change[row]],
    };
    for (const [k, { values }] of columns.slice(0, SHOWN_COLUMNS).entries())
      cells[`extra:${k}`] = values[row];
    return cells;
  }

  #columns(): ColumnDefinition[] {
    const data = this.#data;
    const columns: ColumnDefinition[] = [
      {
        title: 'Row',
        field: 'number',
        minWidth: 56,
        formatter: (cell) => this.#rowButton(cell.getRow()),
        cssClass: 'is-row',
      },
    ];
    for (const [k, { name }] of (data?.columns ?? []).slice(0, SHOWN_COLUMNS).entries())
      columns.push({ title: name === '' ? `column ${k + 1}` : name, field: `extra:${k}`, maxWidth: 240 });
    for (const axis of ['x', 'y', 'z'])
      columns.push({
        title: axis,
        field: axis,
        hozAlign: 'right',
        headerHozAlign: 'right',
        cssClass: 'is-number',
      });
    columns.push({ title: 'Supervoxel', field: 'supervoxel', cssClass: 'is-id', minWidth: 146 });
    if (!data || data.answers.hasRoots || data.answers.answered === 0)
      columns.push({ title: 'Root', field: 'root', cssClass: 'is-id', minWidth: 146 });
    columns.push({
      title: 'Status',
      field: 'status',
      minWidth: 108,
      formatter: (cell) => this.#statusText(cell.getRow()),
    });
    if (data?.answers.change.some((change) => change !== Change.unknown))
      columns.push(
        { title: 'Change', field: 'change', minWidth: 84 },
        { title: 'Other root', field: 'otherRoot', cssClass: 'is-id', minWidth: 146 },
      );
    return columns;
  }

  #statusText(row: RowComponent): HTMLElement {
    const cells = row.getData(),
      element = text(cells.status);
    element.title = statusWords(this.#data!.answers.status[cells.row as number]);
    return element;
  }

  #rowButton(row: RowComponent): HTMLElement {
    const { row: index, number } = row.getData();
    const button = make('button', { type: 'button', className: 'row-button', textContent: String(number) });
    button.setAttribute('aria-label', `Row ${number}`);
    button.dataset.row = String(index);
    return button;
  }

  #mark(row: RowComponent): void {
    const index = row.getData().row as number,
      element = row.getElement(),
      isSelected = this.#selected.has(index);
    element.classList.toggle('is-selected', isSelected);
    element.classList.toggle('is-changed', this.#data?.answers.change[index] === Change.changed);
    element.setAttribute('aria-selected', String(isSelected));
    const button = element.querySelector<HTMLButtonElement>('.row-button');
    if (button) button.tabIndex = index === this.#current ? 0 : -1;
  }

  /** Up, Down, Home and End go from row to row; Enter and Space press the row's button. */
  #onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (!target.classList.contains('row-button')) return;
    const page = this.#table.getRows().map((row) => row.getData().row as number),
      place = page.indexOf(Number(target.dataset.row));
    const next = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: page.length - 1 }[event.key];
    if (next === undefined || page[next] === undefined) return;
    event.preventDefault();
    void this.#focusRow(page[next]);
  }

  async #focusRow(row: number): Promise<void> {
    const before = this.#table.getRow(this.#current);
    this.#current = row;
    if (before) this.#mark(before);
    await this.#table.scrollToRow(row, 'nearest', false).catch(() => undefined);
    const component = this.#table.getRow(row);
    this.#mark(component);
    component.getElement().querySelector<HTMLButtonElement>('.row-button')?.focus({ preventScroll: true });
  }
}

interface PageParams {
  page?: number;
  size?: number;
  sort?: readonly { field: string; dir: string }[];
}

const toText = (value: number): string => (Number.isNaN(value) ? '' : String(value));

/** A header that the keyboard reaches. Its click is that of the header. */
const headerButton: ColumnDefinition['titleFormatter'] = (cell) =>
  make('button', { type: 'button', className: 'header-button', textContent: String(cell.getValue()) });
