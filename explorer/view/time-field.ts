/** A choice of time: now, settled, a date, or a materialization. */
import type { VolumeInfo } from '../service/volume-info.ts';
import { make, option } from './dom.ts';

/** The text of one materialization and what it is called. */
interface Version {
  readonly number: number;
  readonly text: string;
  readonly label: string;
}

/** Versions that are listed. The others are named by their number. */
const NEWEST = 10;

export class TimeField {
  readonly #select: HTMLSelectElement;
  readonly #date: HTMLInputElement;
  readonly #dateBox: HTMLElement;
  readonly #version: HTMLInputElement;
  readonly #versionBox: HTMLElement;

  /**
   * @param id The ID of the select, which a label of the page names.
   * @param optional Whether no time may be chosen.
   */
  constructor(
    container: HTMLElement,
    id: string,
    private readonly optional: boolean,
  ) {
    this.#select = make('select', { id });
    this.#date = make('input', { type: 'datetime-local', id: `${id}-date`, step: '1' });
    this.#dateBox = make(
      'div',
      { className: 'inline', hidden: true },
      this.#label('Date and time, UTC', `${id}-date`),
      this.#date,
    );
    this.#version = make('input', {
      type: 'text',
      id: `${id}-version`,
      inputMode: 'numeric',
      placeholder: '943',
      autocomplete: 'off',
    });
    this.#versionBox = make(
      'div',
      { className: 'inline', hidden: true },
      this.#label('Number of the version', `${id}-version`),
      this.#version,
    );
    container.append(this.#select, this.#dateBox, this.#versionBox);
    this.#select.addEventListener('change', () => this.#show());
    this.setInfo(undefined);
  }

  /** Offers what a volume has. */
  setInfo(info: VolumeInfo | undefined): void {
    const before = this.#select.value;
    const { settled, materializations } = info?.timestamps ?? {};
    const versions = (materializations ?? []).flatMap(toVersion).sort((a, b) => b.number - a.number),
      newest = versions.slice(0, NEWEST);
    const choices = [
      ...(this.optional ? [option('', 'nothing')] : []),
      option('now', 'now'),
      ...(settled ? [option('settled', `settled (${shortTime(settled)})`)] : []),
      option('date', 'a date…'),
      ...newest.map(({ text, label }) => option(text, label)),
      ...(versions.length > newest.length ? [option('version', 'another materialization…')] : []),
    ];
    this.#select.replaceChildren(...choices);
    if (choices.some(({ value }) => value === before)) this.#select.value = before;
    this.#show();
  }

  /** The time as the service reads it; undefined for none. @throws RangeError for an empty date or version. */
  get value(): string | undefined {
    const { value } = this.#select;
    if (value === '') return undefined;
    if (value === 'date') {
      if (this.#date.value === '') throw new RangeError('Choose a date and a time.');
      return `${this.#date.value.length === 16 ? `${this.#date.value}:00` : this.#date.value}Z`;
    }
    if (value === 'version') {
      if (!/^\d{1,9}$/.test(this.#version.value.trim()))
        throw new RangeError('Enter the number of a materialization, such as 943.');
      return `mat_${this.#version.value.trim()}`;
    }
    return value;
  }

  #label(text: string, target: string): HTMLLabelElement {
    return make('label', { textContent: text, htmlFor: target });
  }

  #show(): void {
    this.#dateBox.hidden = this.#select.value !== 'date';
    this.#versionBox.hidden = this.#select.value !== 'version';
  }
}

/** `2024-06-06 12:00` of an ISO time. */
export const shortTime = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

/** Services name a version by its number. */
function toVersion(given: unknown): Version[] {
  const number = typeof given === 'number' || typeof given === 'string' ? Number(given) : NaN;
  return Number.isInteger(number) && number >= 0
    ? [{ number, text: `mat_${number}`, label: `materialization ${number}` }]
    : [];
}
