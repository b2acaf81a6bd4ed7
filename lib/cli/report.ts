/** What a person is told on standard error: warnings, errors, and a progress bar where there is a terminal. */
import type { SingleBar } from 'cli-progress';
import { redactSecrets } from '../base/secret-redaction.ts';
import type { TableProgress } from '../jobs/answer-table.ts';
import { messageWithCauses } from '../jobs/messages.ts';
import type { Io } from './io.ts';

/** Text from servers and files without what a terminal would obey (escapes, line ends, directions of writing). */
export const stripControls = (message: string): string =>
  message.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');

/** Rows of cells as lines, each column as wide as its widest cell; ends with a line end. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const table = rows.map((row) => row.map(stripControls));
  const widths = table.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  );
  return table
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

export class Report {
  readonly #io: Io;
  #bar: SingleBar | undefined;
  /** Whether a bar may come up. */
  #shows = false;

  constructor(io: Io) {
    this.#io = io;
  }

  line(message: string): void {
    this.#hideBar(); // it comes back below, at its next step
    this.#io.stderr.write(`${stripControls(redactSecrets(message))}\n`);
  }

  warn(message: string): void {
    this.line(`warning: ${message}`);
  }

  error(error: unknown): void {
    this.done();
    this.line(`error: ${messageWithCauses(error)}`);
    if (this.#io.env.GRAPHENE_POINTS_DEBUG === '1' && error instanceof Error)
      for (const line of (error.stack ?? '').split('\n')) this.line(line);
  }

  /** @returns what to call as the work goes on; undefined where there is no terminal. */
  async startProgress(): Promise<((progress: TableProgress) => void) | undefined> {
    const { stderr } = this.#io;
    if (!stderr.isTTY) return undefined;
    const { default: cliProgress } = await import('cli-progress');
    const bar = new cliProgress.SingleBar({
      stream: stderr,
      clearOnComplete: true,
      hideCursor: true,
      etaBuffer: 100,
      format: '{bar} {value}/{total} chunks of rows up to {rows} | ETA {eta_formatted}',
    });
    let batch = -1;
    this.#shows = true;
    return ({ rows, chunksDone, chunks }) => {
      if (!this.#shows) return;
      if (batch !== rows || !this.#bar) {
        this.#hideBar();
        batch = rows;
        bar.start(chunks, chunksDone, { rows });
        this.#bar = bar;
      } else {
        bar.setTotal(chunks); // points that snap find more chunks to look into
        bar.update(chunksDone);
      }
    };
  }

  /** Takes the bar away for good. */
  done(): void {
    this.#hideBar();
    this.#shows = false;
  }

  /** Before anything else is written: the bar puts the cursor back to where it was drawn first, which must still be its own line. */
  #hideBar(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
