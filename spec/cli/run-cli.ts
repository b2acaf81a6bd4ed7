/** Runs the command line in the process of the spec. */
import { PassThrough, Readable, Writable } from 'node:stream';
import { run } from '../../lib/cli/run.ts';

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  stdin?: string | Readable;
  signal?: AbortSignal;
  env?: Record<string, string>;
  /** Whether standard error is a terminal, or standard output too. */
  terminal?: 'stderr' | 'both';
}

export async function runCli(
  argv: readonly string[],
  { stdin, signal = new AbortController().signal, env = {}, terminal }: CliOptions = {},
): Promise<CliResult> {
  const out: Buffer[] = [],
    err: Buffer[] = [];
  const into = (parts: Buffer[]): Writable =>
    new Writable({ write: (chunk: Buffer, _encoding, done) => (parts.push(chunk), done()) });
  const stdout = Object.assign(into(out), { isTTY: terminal === 'both' });
  const stderr = Object.assign(into(err), { isTTY: terminal !== undefined });
  const input =
    typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : (stdin ?? new PassThrough());
  const code = await run(argv, { stdin: input, stdout, stderr, env, signal });
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}
