/** Calls a real client in its own Python process: one JSON line per request and per answer, in order. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHILD_ENVIRONMENT } from './environment.ts';

const ANSWER_MS = 180_000;
const EXIT_MS = 10_000;

/** Every array type that crosses between TypeScript and Python. */
export type Numbers =
  | BigUint64Array
  | BigInt64Array
  | Uint32Array
  | Int32Array
  | Uint16Array
  | Int16Array
  | Uint8Array
  | Int8Array
  | Float32Array
  | Float64Array;

/** The client itself raised an exception. */
export class ClientError extends Error {}

interface Waiting {
  resolve: (answer: unknown) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

export class PythonClient implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Waiting[] = [];
  #lastOutput = '';

  /** @param script File in interop/clients. */
  constructor(python: string, script: string) {
    this.#child = spawn(python, [join(import.meta.dirname, 'clients', script)], { env: CHILD_ENVIRONMENT });
    this.#child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (this.#lastOutput = (this.#lastOutput + text).slice(-4000)));
    this.#child.stdin.on('error', () => undefined); // 'close' reports it
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('close', (code, signal) =>
      this.#fail(new Error(`${script} ended (${signal ?? code}):\n${this.#lastOutput}`)),
    );
    createInterface(this.#child.stdout).on('line', (line) => this.#settle(line));
  }

  /**
   * Calls a method of the script's client.
   *
   * @param name Name of the method.
   * @param args Its arguments. Typed arrays become NumPy arrays, bigints int, and dates datetime.
   * @returns The result: arrays as typed arrays, every other number as text.
   * @throws ClientError if the method raised an exception.
   */
  call<T>(name: string, args: Record<string, unknown>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#lastOutput += `\n${name} took longer than ${ANSWER_MS / 1000} s`;
        this.#child.kill('SIGKILL');
      }, ANSWER_MS);
      this.#waiting.push({ resolve: resolve as (answer: unknown) => void, reject, timer });
      this.#child.stdin.write(`${JSON.stringify({ call: name, args }, toWire)}\n`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined)
      return;
    const closed = once(this.#child, 'close');
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_MS);
    await closed;
    clearTimeout(timer);
  }

  #settle(line: string): void {
    const waiting = this.#waiting.shift()!;
    clearTimeout(waiting.timer);
    const { answer, error } = JSON.parse(line, fromWire) as { answer?: unknown; error?: string };
    if (error === undefined) waiting.resolve(answer);
    else waiting.reject(new ClientError(error));
  }

  #fail(error: Error): void {
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
  }
}

const ARRAYS = {
  '<u8': BigUint64Array,
  '<i8': BigInt64Array,
  '<u4': Uint32Array,
  '<i4': Int32Array,
  '<u2': Uint16Array,
  '<i2': Int16Array,
  '|u1': Uint8Array,
  '|i1': Int8Array,
  '<f4': Float32Array,
  '<f8': Float64Array,
} as const;

function toWire(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key]; // `value` is already text for a date
  if (original instanceof Date) return { ms: original.getTime() };
  if (typeof value === 'bigint') return { int: String(value) };
  if (!ArrayBuffer.isView(value)) return value;
  const [dtype] = Object.entries(ARRAYS).find(([, type]) => value instanceof type)!;
  return { dtype, base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
}

function fromWire(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('dtype' in value && 'base64' in value)) return value;
  const type = ARRAYS[value.dtype as keyof typeof ARRAYS];
  return new type(new Uint8Array(Buffer.from(value.base64 as string, 'base64')).buffer);
}
