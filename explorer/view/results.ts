/** The results: what the table, the projections and the list of roots show of the same answers. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { Answers } from '../answers/answers.ts';
import { countRoots, countStatuses, type RootCount } from '../answers/counts.ts';
import { filterRows } from '../answers/row-order.ts';
import { statusName, statusWords } from '../answers/status-words.ts';
import type { PastedPoints } from '../points/pasted-points.ts';
import {
  colourByRoot,
  colourByStatus,
  fadeOthers,
  type Colouring,
  RootColours,
  statusColour,
} from './colours.ts';
import { breathe, byId, formatCount, make, option, plural, throttle } from './dom.ts';
import { Projections } from './projections.ts';
import { RootList } from './root-list.ts';
import { RowTable, type TableRows } from './row-table.ts';

/** Rows fill in at most this often. */
const FILL_MS = 250;
/** Points are drawn, counted and ordered again at most this often. */
const DRAW_MS = 700;
/** More rows are drawn less often: this much more for each row. */
const DRAW_MS_PER_ROW = 0.02;
/** Text of a filter is taken after this pause. */
const TYPING_MS = 200;

export class Results {
  answers = new Answers(0);
  points: PastedPoints | undefined;
  readonly #table = new RowTable(byId('table'), (row, extend) => this.#select([row], extend, false));
  readonly #projections = new Projections(byId('projections'), {
    onRows: (rows, extend) => this.#select(rows, extend, true),
  });
  readonly #roots = new RootList((root) => {
    this.#rootFilter.value = root;
    void this.#applyFilter();
  });
  readonly #rootColours = new RootColours();
  readonly #status = byId<HTMLSelectElement>('filter-status');
  readonly #rootFilter = byId<HTMLInputElement>('filter-root');
  readonly #changed = byId<HTMLInputElement>('filter-changed');
  readonly #selectedOnly = byId<HTMLInputElement>('filter-selected');
  #selected: ReadonlySet<number> = new Set();
  readonly #fillSoon = throttle(
    () => FILL_MS,
    () => void this.#table.fill(),
  );
  readonly #drawSoon = throttle(
    () => DRAW_MS + DRAW_MS_PER_ROW * this.answers.rows,
    () => void this.refresh(),
  );

  constructor() {
    this.#status.addEventListener('change', () => void this.#applyFilter());
    this.#changed.addEventListener('change', () => void this.#applyFilter());
    this.#selectedOnly.addEventListener('change', () => void this.#applyFilter());
    let timer: ReturnType<typeof setTimeout>;
    this.#rootFilter.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.#applyFilter(), TYPING_MS);
    });
    for (const radio of document.querySelectorAll('input[name="colour"]'))
      radio.addEventListener('change', () => void this.#draw());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      void this.#draw();
      this.#projections.repaint();
    });
  }

  /** The selected rows, or else those that the table shows, in its order. */
  get chosenRows(): Uint32Array {
    return this.#selected.size > 0
      ? this.#table.rows.filter((row) => this.#selected.has(row))
      : this.#table.rows;
  }

  get colourBy(): 'root' | 'status' {
    const checked = document.querySelector<HTMLInputElement>('input[name="colour"]:checked');
    return checked?.value === 'status' ? 'status' : 'root';
  }

  /** The rows that the table shows, in its order. */
  get shownRows(): Uint32Array {
    return this.#table.rows;
  }

  /** Starts with points that have no answers yet. */
  async start(points: PastedPoints, unit: Vec3): Promise<void> {
    byId('empty').hidden = true;
    byId('filled').hidden = false;
    this.points = points;
    this.answers = new Answers(points.coordinates.length / 3);
    this.#rootColours.clear();
    this.#selected = new Set();
    this.#rootFilter.value = '';
    this.#changed.checked = this.#selectedOnly.checked = false;
    byId('changed-box').hidden = true;
    this.#showSelection();
    this.#showStatuses();
    this.#status.value = '';
    this.#projections.setPoints(points.coordinates, unit);
    await breathe();
    await this.#table.setData(this.#tableRows, filterRows(this.answers, {}));
    this.#showCount();
    await this.refresh();
  }

  /** Tells that rows have answers. */
  onAnswer(): void {
    this.#fillSoon();
    this.#drawSoon();
  }

  /** Tells that the comparison with a second timestamp is there, or gone. */
  async onChanges(compared: boolean): Promise<void> {
    byId('changed-box').hidden = !compared;
    if (!compared) this.#changed.checked = false;
    await this.#table.showColumns();
    await this.refresh();
  }

  /** Counts, draws and orders again. */
  async refresh(): Promise<void> {
    const { answers } = this;
    this.#showStatuses();
    const counts = countRoots(answers);
    this.#rootColours.assign(counts);
    await breathe();
    this.#roots.show(answers, counts, this.#rootColours, this.#rootFilter.value);
    await breathe();
    if (this.#status.value !== '' || this.#rootFilter.value !== '' || this.#changed.checked)
      await this.#applyFilter(false);
    else await this.#table.fill();
    await this.#draw(counts);
  }

  get #tableRows(): TableRows {
    const { coordinates, columns } = this.points!;
    return { coordinates, columns, answers: this.answers };
  }

  async #draw(counts: readonly RootCount[] = countRoots(this.answers)): Promise<void> {
    const colouring =
      this.colourBy === 'status'
        ? colourByStatus(this.answers, [...countStatuses(this.answers).keys()])
        : colourByRoot(this.answers, this.#rootColours.assign(counts));
    const faded = fadeOthers(colouring, this.answers.rows, this.#table.rows);
    this.#showLegend(faded);
    await this.#projections.draw(faded, [...this.#selected]);
  }

  #showLegend({ groups, groupOf }: Colouring): void {
    const counts = new Uint32Array(groups.length);
    for (let row = 0; row < this.answers.rows; row++) counts[groupOf(row)]++;
    byId('legend').replaceChildren(
      ...groups.flatMap(({ colour, label }, k) => {
        if (counts[k] === 0 || /^\d+$/.test(label)) return []; // the list of roots shows their colours
        const swatch = make('span', { className: 'swatch', ariaHidden: 'true' });
        swatch.style.setProperty('background', `var(${colour})`);
        return [make('li', {}, swatch, `${label} ${formatCount(counts[k])}`)];
      }),
    );
  }

  async #applyFilter(firstPage = true): Promise<void> {
    const { answers } = this,
      status = this.#status.value === '' ? undefined : Number(this.#status.value);
    const rows = filterRows(answers, {
      status,
      root: this.#rootFilter.value.trim(),
      changedOnly: this.#changed.checked,
      only: this.#selectedOnly.checked ? this.#selected : undefined,
    });
    await this.#table.setRows(rows, firstPage);
    this.#showCount();
    if (firstPage) void this.#draw();
    for (const button of byId('roots').querySelectorAll<HTMLElement>('button'))
      button.setAttribute('aria-pressed', String(button.dataset.root === this.#rootFilter.value));
  }

  #select(rows: readonly number[], extend: boolean, reveal: boolean): void {
    const isOnlySelected =
      !extend && rows.length === 1 && this.#selected.size === 1 && this.#selected.has(rows[0]);
    if (extend) {
      const next = new Set(this.#selected);
      const removes = rows.length === 1 && next.has(rows[0]);
      for (const row of rows) removes ? next.delete(row) : next.add(row);
      this.#selected = next;
    } else this.#selected = new Set(isOnlySelected && !reveal ? [] : rows);
    if (this.#selected.size === 0) this.#selectedOnly.checked = false;
    this.#showSelection();
    void this.#table.select(this.#selected, reveal);
    if (this.#selectedOnly.checked) void this.#applyFilter();
    void this.#draw();
  }

  #showSelection(): void {
    const line = byId('selection');
    const [row] = this.#selected;
    if (row === undefined) {
      line.textContent =
        'Select rows in the table, or points by a click or a rectangle. Ctrl and the wheel zoom.';
      return;
    }
    if (this.#selected.size > 1) {
      line.textContent = `${plural(this.#selected.size, 'row')} selected.`;
      return;
    }
    const { answers, points } = this,
      place = [0, 1, 2].map((axis) => points!.coordinates[3 * row + axis]).join(', '),
      root = answers.rootText(row),
      supervoxel = answers.supervoxelText(row);
    line.textContent = [
      `Row ${row + 1} at ${place}: ${answers.statusText(row)}, ${statusWords(answers.status[row])}`,
      ...(supervoxel === '' ? [] : [`supervoxel ${supervoxel}`]),
      ...(root === '' ? [] : [`root ${root}`]),
    ].join(' · ');
  }

  #showCount(): void {
    const shown = this.#table.rows.length,
      { rows } = this.answers;
    byId('shown').textContent =
      shown === rows ? plural(rows, 'row') : `${formatCount(shown)} of ${plural(rows, 'row')}`;
  }

  /** Lists the statuses that rows have, in the filter and above the projections. */
  #showStatuses(): void {
    const statuses = [...countStatuses(this.answers)],
      chosen = this.#status.value;
    const choices = [
      option('', 'all'),
      ...statuses.map(([code, rows]) => option(String(code), `${statusName(code)} (${formatCount(rows)})`)),
    ];
    if (document.activeElement !== this.#status) {
      this.#status.replaceChildren(...choices);
      this.#status.value = choices.some(({ value }) => value === chosen) ? chosen : '';
    }
    byId('counts').replaceChildren(
      ...statuses.map(([code, rows]) => {
        const swatch = make('span', { className: 'swatch', ariaHidden: 'true' });
        swatch.style.setProperty('background', `var(${statusColour(code)})`);
        return make(
          'span',
          { className: 'chip', title: statusWords(code) },
          swatch,
          `${formatCount(rows)} ${statusName(code)}`,
        );
      }),
    );
  }
}
