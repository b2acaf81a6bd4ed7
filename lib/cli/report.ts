/** Writes warnings, errors and the progress to standard error. */
import type { SingleBar } from 'cli-progress';
import { redactSecrets } from '../base/secret-redaction.ts';
import type { TableProgress } from '../jobs/job-types.ts';
import { messageWithCauses } from '../jobs/messages.ts';
import type { Io } from './io.ts';

/** How often a line tells the progress where there is no terminal. */
const LINE_MS = 30_000;
/** How often the bar gets new figures: there may be thousands of chunks per second. */
const REDRAW_MS = 100;

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
  /** Whether the progress may be shown. */
  #shows = false;
  #onWarning: ((message: string) => void) | undefined;

  constructor(io: Io) {
    this.#io = io;
  }

  line(message: string): void {
    this.#hideBar(); // it is drawn again below, at its next step
    this.#io.stderr.write(`${stripControls(redactSecrets(message))}\n`);
  }

  /** Passes all warnings from now on to a listener, too. */
  listen(onWarning: (message: string) => void): void {
    this.#onWarning = onWarning;
  }

  warn(message: string): void {
    this.#onWarning?.(message);
    this.line(`warning: ${message}`);
  }

  error(error: unknown): void {
    this.done();
    this.line(`error: ${messageWithCauses(error)}`);
    if (this.#io.env.GRAPHENE_POINTS_DEBUG === '1' && error instanceof Error)
      for (const line of (error.stack ?? '').split('\n')) this.line(line);
  }

  /**
   * Prepares the progress: a bar on a terminal, otherwise a line every {@link LINE_MS}.
   *
   * @param now Returns the time in milliseconds.
   * @returns A function that takes the progress.
   */
  async startProgress(
    now: () => number = () => performance.now(),
  ): Promise<(progress: TableProgress) => void> {
    const { ProgressMeter } = await import('./progress-meter.ts'); // only long runs need it
    const meter = new ProgressMeter();
    this.#shows = true;
    if (!this.#io.stderr.isTTY) {
      let nextMs = now() + LINE_MS;
      return (progress) => {
        const ms = now();
        meter.add(progress, ms);
        if (!this.#shows || ms < nextMs) return;
        nextMs = ms + LINE_MS;
        this.line(meter.describe());
      };
    }
    const { default: cliProgress } = await import('cli-progress');
    const bar = new cliProgress.SingleBar({
      stream: this.#io.stderr,
      clearOnComplete: true,
      hideCursor: true,
      barsize: 20,
      format: '{bar} {text}',
    });
    let drawnMs = -Infinity;
    return (progress) => {
      const ms = now();
      meter.add(progress, ms);
      if (!this.#shows || (this.#bar && ms - drawnMs < REDRAW_MS)) return;
      drawnMs = ms;
      const fraction = progress.fraction ?? 0,
        payload = { text: meter.describe() };
      if (this.#bar) bar.update(fraction, payload);
      else {
        bar.start(1, fraction, payload);
        this.#bar = bar;
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
