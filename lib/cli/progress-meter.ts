/** Turns the progress of a job into rates and one line of text. The caller passes the time. Pure. */
import type { TableProgress } from '../jobs/job-types.ts';

/** What was known at a time. */
interface Sample {
  ms: number;
  progress: TableProgress;
}

/** Rates are those of this long before, or of the whole pass if that is shorter. */
const RATE_MS = 60_000;
/** How far apart the samples are that are kept. */
const SAMPLE_MS = 1000;

/** Measures how fast the current pass of a job is. */
export class ProgressMeter {
  /** The samples of this pass, oldest first. */
  #samples: Sample[] = [];
  #latest: Sample | undefined;

  /** Takes the progress at a time in milliseconds, which never goes back. */
  add(progress: TableProgress, ms: number): void {
    if (this.#latest?.progress.pass !== progress.pass) this.#samples = [];
    const last = this.#samples.at(-1);
    this.#latest = { ms, progress };
    if (last && ms - last.ms < SAMPLE_MS) return;
    this.#samples.push(this.#latest);
    while (this.#samples.length > 2 && ms - this.#samples[1].ms >= RATE_MS) this.#samples.shift();
  }

  /** Returns how much of a number was added per second; undefined if that is not known yet. */
  #perSecond(of: (progress: TableProgress) => number): number | undefined {
    const [first] = this.#samples,
      seconds = first === undefined ? 0 : (this.#latest!.ms - first.ms) / 1000;
    return seconds > 0 ? (of(this.#latest!.progress) - of(first.progress)) / seconds : undefined;
  }

  /** Returns the seconds until this pass is done, at its rate; undefined if that is not known. */
  get secondsLeft(): number | undefined {
    const fraction = this.#latest?.progress.fraction,
      rate = this.#perSecond((progress) => progress.fraction ?? NaN);
    return fraction !== undefined && rate !== undefined && rate > 0 ? (1 - fraction) / rate : undefined;
  }

  /** Describes the latest progress in one line. What matters most comes first: a terminal may cut the rest. */
  describe(): string {
    if (!this.#latest) return '';
    const { progress } = this.#latest,
      { pass, passNumber, passes, fraction, rows, chunksDone, cacheHits, rootRequests, failures } = progress;
    const rowRate = this.#perSecond((one) => one.rows),
      byteRate = this.#perSecond((one) => one.bytes),
      left = this.secondsLeft;
    const parts = [
      ...(fraction === undefined ? [] : [`${Math.floor(100 * fraction)} %`]),
      ...(left === undefined ? [] : [`ETA ${formatSeconds(left)}`]),
      count(rows, 'row'),
      ...(rowRate === undefined ? [] : [`${number(rowRate)} rows/s`]),
    ];
    if (pass === 'looking up') {
      parts.push(count(chunksDone, 'chunk'));
      if (byteRate !== undefined) parts.push(`${(byteRate / 1e6).toFixed(1)} MB/s`);
      parts.push(count(cacheHits, 'cache hit'), count(rootRequests, 'root request'));
    }
    parts.push(`${number(failures)} failed`);
    return `${pass}${passes > 1 ? ` (${passNumber} of ${passes})` : ''}: ${parts.join(', ')}`;
  }
}

const number = (n: number): string => Math.round(n).toLocaleString('en-US');
const count = (n: number, what: string): string => `${number(n)} ${what}${n === 1 ? '' : 's'}`;

/** Formats a duration in its two largest units: `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
