/** Takes points: typed, pasted, from a file, dropped, or made up. */
import { toPrintable } from '../../lib/base/printable.ts';
import { PasteError, type PastedPoints } from '../points/pasted-points.ts';
import { readPoints } from '../points/read-points.ts';
import { breathe, byId, formatCount, make, plural } from './dom.ts';

/** Longer texts are not put in the box: browsers take seconds to lay them out. */
const MOST_TYPED = 200_000;
/** Larger files are work for the command line. */
const MOST_BYTES = 200_000_000;
const TYPING_MS = 250;

export class PointsPanel {
  readonly #text = byId<HTMLTextAreaElement>('text');
  readonly #summary = byId('points-summary');
  readonly #notes = byId('points-notes');
  readonly #file = byId<HTMLInputElement>('file');
  /** Counts texts, so that a slow one does not overwrite a later one. */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly onPoints: (points: PastedPoints | undefined) => void) {
    this.#text.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#read(this.#text.value), TYPING_MS);
    });
    this.#text.addEventListener('paste', (event) => {
      const text = event.clipboardData?.getData('text/plain') ?? '';
      if (text.length <= MOST_TYPED) return;
      event.preventDefault();
      this.#text.value = '';
      void this.#read(text, 'pasted text');
    });
    byId('open-file').addEventListener('click', () => this.#file.click());
    this.#file.addEventListener('change', () => {
      const [file] = this.#file.files ?? [];
      if (file) void this.#readFile(file);
      this.#file.value = '';
    });
    byId('clear').addEventListener('click', () => {
      this.#text.value = '';
      void this.#read('');
      this.#text.focus();
    });
    this.#listenForDrops();
  }

  /** Waits for text that was just typed. */
  async settle(): Promise<void> {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    await this.#read(this.#text.value);
  }

  /** Takes points that no text says. */
  setPoints(points: PastedPoints, summary: string): void {
    this.#turn++;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#text.value = '';
    this.#show(points, summary);
  }

  #listenForDrops(): void {
    let depth = 0;
    const mark = (by: number): void => {
      depth = Math.max(0, depth + by);
      document.body.classList.toggle('is-dropping', depth > 0);
    };
    document.addEventListener('dragenter', () => mark(1));
    document.addEventListener('dragleave', () => mark(-1));
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      mark(-depth);
      const [file] = event.dataTransfer?.files ?? [],
        text = event.dataTransfer?.getData('text/plain') ?? '';
      if (file) void this.#readFile(file);
      else if (text !== '') {
        this.#text.value = text.length <= MOST_TYPED ? text : '';
        void this.#read(text, 'dropped text');
      }
    });
  }

  async #readFile(file: File): Promise<void> {
    if (file.size > MOST_BYTES)
      return this.#fail(`${file.name} is larger than 200 MB. Use the command line: graphene-points lookup.`);
    this.#text.value = '';
    await this.#read(await file.text(), toPrintable(file.name, 60));
  }

  async #read(text: string, source?: string): Promise<void> {
    this.#timer = undefined;
    const turn = ++this.#turn;
    if (text.trim() === '') {
      this.#summary.textContent = '';
      this.#summary.classList.remove('is-wrong');
      this.#notes.hidden = true;
      return this.onPoints(undefined);
    }
    if (source !== undefined) this.#summary.textContent = `Reading ${source} …`;
    try {
      const points = await readPoints(text, breathe);
      if (turn === this.#turn) this.#show(points, summarize(points, source));
    } catch (error) {
      if (turn === this.#turn) this.#fail(error instanceof PasteError ? error.message : String(error));
    }
  }

  #show(points: PastedPoints, summary: string): void {
    this.#summary.textContent = summary;
    this.#summary.classList.remove('is-wrong');
    this.#notes.replaceChildren(...points.notes.map((note) => make('li', { textContent: note })));
    this.#notes.hidden = points.notes.length === 0;
    this.onPoints(points);
  }

  #fail(message: string): void {
    this.#summary.textContent = message;
    this.#summary.classList.add('is-wrong');
    this.#notes.hidden = true;
    this.onPoints(undefined);
  }
}

function summarize({ coordinates, form, columns }: PastedPoints, source: string | undefined): string {
  const names = columns.map(({ name }) => toPrintable(name, 30)),
    shown =
      names.slice(0, 4).join(', ') + (names.length > 4 ? ` and ${formatCount(names.length - 4)} more` : '');
  const kept = names.length > 0 ? `; also kept: ${shown}` : '';
  return `${plural(coordinates.length / 3, 'point')} from ${form}${source === undefined ? '' : ` (${source})`}${kept}`;
}
