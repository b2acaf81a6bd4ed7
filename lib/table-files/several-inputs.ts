/** The inputs of a job whose table is in several files. */
import { TableError } from '../base/errors.ts';
import type { TableInput, TableInputPart } from '../tables/files/table-input.ts';
import type { JobInput } from './job-input.ts';

/** What a job reads its table from. */
export type JobSource = Pick<JobInput, 'source' | 'again' | 'requireAgain' | 'fractionRead' | 'close'>;

/** One of several inputs. */
export interface NamedInput {
  name: string;
  input: JobInput;
  isLocal: boolean;
  /** Yields the bytes before the job reads them. */
  peek: () => AsyncIterable<Uint8Array>;
}

/** Several inputs as one. */
export class SeveralInputs implements JobSource {
  readonly #inputs: readonly NamedInput[];

  constructor(inputs: readonly NamedInput[]) {
    this.#inputs = inputs;
  }

  source(): TableInput {
    return this.#table((input) => input.source());
  }

  again(): TableInput {
    return this.#table((input) => input.again());
  }

  requireAgain(): void {
    for (const { input } of this.#inputs) input.requireAgain();
  }

  fractionRead(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#inputs.map(({ input }) => input.close()));
  }

  #table(open: (input: JobInput) => TableInput): TableInput {
    const name = `${this.#inputs[0].name} and ${this.#inputs.length - 1} more`;
    const refuse = (): never => {
      throw new TableError('BAD_FORMAT', `${name}: several files of this format are not read as one table`);
    };
    const parts = this.#inputs.map(({ input, isLocal, peek }): TableInputPart => ({
      ...open(input),
      isLocal,
      peek,
    }));
    return { name, bytes: refuse, file: refuse, parts };
  }
}
