/**
 * Keeps on disk why points of a job failed, so that the reasons of each run can be read in bounded memory, even
 * if every point failed. It writes two temporary files: the reasons, and for each slice of a run with failures
 * the number of the reason of each point.
 */
import { TemporaryFile } from '../spill/temporary-file.ts';
import type { RunSlice } from '../spill/point-spill.ts';
import type { FailedTasks } from './task-failures.ts';
import type { TaskFailures } from './task-file.ts';
import type { StoredTask } from './task-store.ts';

/** Where the numbers of the reasons of a slice are. */
interface StoredReasons extends RunSlice {
  volume: number;
  offset: number;
}

/** The number of reasons that are kept in memory. */
const KEPT_TEXTS = 10_000;
/** Reasons begin at multiples of this many bytes, so that a uint32 can tell where. */
const TEXT_UNIT = 8;

/** The reasons of all failed points of a job. */
export class FailureReasons {
  readonly #numbers: TemporaryFile;
  readonly #texts: TemporaryFile;
  readonly #slices: StoredReasons[] = [];
  #numbersEnd = 0;
  #textsEnd = 0;
  /** The numbers of reasons that were written before. */
  readonly #known = new Map<string, number>();

  private constructor(numbers: TemporaryFile, texts: TemporaryFile) {
    this.#numbers = numbers;
    this.#texts = texts;
  }

  /** Collects the reasons of tasks. @param folder The folder of the temporary files. */
  static async collect(
    folder: string,
    tasks: readonly StoredTask[],
    { store }: Pick<FailedTasks, 'store'>,
  ): Promise<FailureReasons> {
    const reasons = new FailureReasons(
      await TemporaryFile.create(folder),
      await TemporaryFile.create(folder),
    );
    try {
      for (const task of tasks)
        if (task.volumes.some(({ failed }) => failed > 0))
          for (const [volume, failures] of (await store.readFailures(task.task)).entries())
            await reasons.#add(volume, task.blocks, failures);
      return reasons;
    } catch (error) {
      await reasons.close();
      throw error;
    }
  }

  async #add(volume: number, blocks: readonly RunSlice[], failures: TaskFailures): Promise<void> {
    const { points, reasons, texts } = failures,
      numberOf = new Map<number, number>();
    let k = 0,
      before = 0;
    for (const block of blocks) {
      const count = block.end - block.from,
        first = k;
      while (k < points.length && points[k] < before + count) k++;
      if (k > first) {
        const numbers = new Uint32Array(count);
        for (let at = first; at < k; at++) {
          const reason = reasons[at];
          let number = numberOf.get(reason);
          if (number === undefined) numberOf.set(reason, (number = await this.#numberOf(texts[reason].text)));
          numbers[points[at] - before] = number;
        }
        this.#slices.push({ ...block, volume, offset: this.#numbersEnd });
        await this.#numbers.write(bytesOf(numbers), this.#numbersEnd);
        this.#numbersEnd += numbers.byteLength;
      }
      before += count;
    }
  }

  /** Returns the number of a reason: where it is in its file, plus one. 0 if that file is too long. */
  async #numberOf(text: string): Promise<number> {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const encoded = new TextEncoder().encode(text),
      number = this.#textsEnd / TEXT_UNIT + 1;
    if (number >= 2 ** 32) return 0;
    const record = new Uint8Array(Math.ceil((4 + encoded.length) / TEXT_UNIT) * TEXT_UNIT);
    new DataView(record.buffer).setUint32(0, encoded.length, true);
    record.set(encoded, 4);
    await this.#texts.write(record, this.#textsEnd);
    this.#textsEnd += record.length;
    if (this.#known.size === KEPT_TEXTS) this.#known.clear();
    this.#known.set(text, number);
    return number;
  }

  /**
   * Reads the numbers of the reasons of a run.
   * @param size The number of places of the run.
   * @returns For each volume with failures, the number of the reason of each place; 0 if there is none.
   */
  async ofRun(
    run: number,
    size: number,
    { spill }: Pick<FailedTasks, 'spill'>,
  ): Promise<ReadonlyMap<number, Uint32Array>> {
    const byVolume = new Map<number, Uint32Array>();
    for (const slice of this.#slices) {
      if (slice.run !== run) continue;
      const numbers = new Uint32Array(slice.end - slice.from);
      await this.#numbers.read(bytesOf(numbers), slice.offset);
      const places = await spill.readPlaces(slice);
      let byPlace = byVolume.get(slice.volume);
      if (!byPlace) byVolume.set(slice.volume, (byPlace = new Uint32Array(size)));
      for (let k = 0; k < places.length; k++) byPlace[places[k]] = numbers[k];
    }
    return byVolume;
  }

  /** Returns the reason with a number; undefined for 0. */
  async textOf(number: number): Promise<string | undefined> {
    if (number === 0) return undefined;
    const offset = (number - 1) * TEXT_UNIT,
      prefix = new Uint8Array(4);
    await this.#texts.read(prefix, offset);
    const encoded = new Uint8Array(new DataView(prefix.buffer).getUint32(0, true));
    await this.#texts.read(encoded, offset + 4);
    return new TextDecoder().decode(encoded);
  }

  async close(): Promise<void> {
    await this.#numbers.close();
    await this.#texts.close();
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
