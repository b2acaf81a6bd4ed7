/** Takes the answers along: CSV, Parquet, Neuroglancer. */
import type { LookUp } from '../service/look-up.ts';
import { countFormulas, writeCsv } from '../answers/write-csv.ts';
import { viewerLink } from '../answers/viewer-link.ts';
import { breathe, byId, formatCount, make, plural } from './dom.ts';
import type { Results } from './results.ts';

/** What was asked. */
export interface Asked {
  readonly lookUp: LookUp;
  readonly timestamp: string | undefined;
  otherTimestamp: string | undefined;
}

export class Exports {
  readonly #note = byId('export-note');

  constructor(
    private readonly results: Results,
    private readonly asked: () => Asked | undefined,
  ) {
    this.#on('copy', async () => {
      const text = (await this.#csv()).join('');
      await navigator.clipboard.writeText(text);
      return `Copied ${this.#whatCsv()}`;
    });
    this.#on('save-csv', async () => {
      save(new Blob(await this.#csv(), { type: 'text/csv' }), 'points.csv');
      return `Saved ${this.#whatCsv()}`;
    });
    this.#on('save-parquet', async ({ lookUp, timestamp }) => {
      const { client, info, coordinates, resolution } = lookUp;
      const file = await client.parquet(info.name, coordinates, {
        resolution,
        timestamp,
        signal: new AbortController().signal,
      });
      save(file, 'points.parquet');
      return 'Saved all points as Parquet: x, y, z, IDs and status. Other columns are only in the CSV.';
    });
    this.#on('neuroglancer', async ({ lookUp: { info, resolution } }) => {
      const { points, answers, chosenRows: rows, colourBy } = this.results;
      const { url, annotations } = viewerLink({
        info,
        coordinates: points!.coordinates,
        resolution,
        answers,
        rows,
        colourBy,
      });
      window.open(url, '_blank', 'noopener,noreferrer');
      return annotations < rows.length
        ? `Opened with the first ${formatCount(annotations)} of ${plural(rows.length, 'row')}: a link holds no more. Select the rows that you want to see.`
        : `Opened with ${plural(annotations, 'row')}.`;
    });
  }

  #on(id: string, run: (asked: Asked) => Promise<string>): void {
    const button = byId<HTMLButtonElement>(id);
    button.addEventListener('click', () => {
      const asked = this.asked();
      if (!asked) return;
      button.ariaDisabled = 'true';
      this.#note.textContent = '…';
      run(asked).then(
        (done) => {
          button.ariaDisabled = null;
          this.#note.textContent = done;
        },
        (error: unknown) => {
          button.ariaDisabled = null;
          this.#note.textContent = error instanceof Error ? error.message : String(error);
        },
      );
    });
  }

  async #csv(): Promise<string[]> {
    const { points, answers, shownRows } = this.results,
      parts: string[] = [];
    const { coordinates, columns } = points!;
    for (const part of writeCsv({
      coordinates,
      columns,
      answers,
      rows: shownRows,
      otherTimestamp: this.asked()?.otherTimestamp,
    })) {
      parts.push(part);
      await breathe();
    }
    return parts;
  }

  #whatCsv(): string {
    const { points, shownRows } = this.results,
      formulas = countFormulas(points!.columns);
    const guarded =
      formulas > 0
        ? ` ${plural(formulas, 'cell')} begin with an apostrophe, because a spreadsheet would run them as formulas.`
        : '';
    return `${plural(shownRows.length, 'row')} as CSV, in the order of the table.${guarded}`;
  }
}

function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
