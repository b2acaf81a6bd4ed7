/** Writes warnings, errors and a progress bar to standard error. */
import type { SingleBar } from 'cli-progress';
import { redactSecrets } from '../base/secret-redaction.ts';
import type { TableProgress } from '../jobs/answer-table.ts';
import { messageWithCauses } from '../jobs/messages.ts';
import type { Io } from './io.ts';

/**
 * Replaces characters that would control a terminal, such as escapes, line ends and text directions, in text
 * from servers and files.
 */
export const stripControls = (message: string): string =>
  message.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');

/**
 * Formats rows of cells as lines. Each column is as wide as its widest cell, and each line has a line end.
 */
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

/** The messages of one run. */
export class Report {
  readonly #io: Io;
  #bar: SingleBar | undefined;
  /** Whether the bar may be drawn. */
  #shows = false;

  constructor(io: Io) {
    this.#io = io;
  }

  line(message: string): void {
    this.#hideBar(); // it is drawn again below, at its next step
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

  /**
   * Prepares the progress bar.
   *
   * @returns A function that takes the progress; undefined if standard error is not a terminal.
   */
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
        bar.setTotal(chunks); // points that snap may need more chunks
        bar.update(chunksDone);
      }
    };
  }

  /** Removes the bar for good. */
  done(): void {
    this.#hideBar();
    this.#shows = false;
  }

  /**
   * Removes the bar before other output: the bar moves the cursor back to its first line, which must still be
   * its own.
   */
  #hideBar(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
