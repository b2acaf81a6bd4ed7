/**
 * Runs `graphene-points login`: reads a token from the user and saves it where this program looks for tokens.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { saveToken, newTokenPage, tokenListPage } from '../cave/save-token.ts';
import { DEFAULT_CAVE_SERVER, parseServer } from '../cave/cave-server.ts';
import { type Io, UsageError } from './io.ts';
import type { Report } from './report.ts';

/** Prompts for a token and saves it. @throws UsageError if the input is not a token. */
export async function runLogin(server: string | undefined, io: Io, report: Report): Promise<void> {
  const host = parseServer(server ?? DEFAULT_CAVE_SERVER);
  report.line(
    `Make a token at ${newTokenPage(host)} (this makes your old token invalid), or copy your current token from ${tokenListPage(host)}.`,
  );
  io.stderr.write('Token (not shown while you type): ');
  const token = (await readHidden(io)).trim().replace(/^"(.*)"$/, '$1');
  io.stderr.write('\n');
  if (token === '') throw new UsageError('no token was entered; nothing was written');
  // A user may paste more than the token.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UsageError('a token is one word of ASCII letters, digits and signs; nothing was written');
  const files = await saveToken(host, token, io.env);
  for (const file of files) report.line(`wrote ${file}`);
  report.line('check it with: graphene-points doctor CLOUDPATH');
}

/** Reads the first line of standard input without showing it on a terminal. @throws signal.reason. */
function readHidden({ stdin, signal }: Io): Promise<string> {
  return new Promise((resolve, reject) => {
    // readline echoes what is typed, so it gets an output that drops everything.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const terminal = (stdin as { isTTY?: boolean }).isTTY === true;
    const lines = createInterface({ input: stdin, output: nowhere, terminal });
    let line = '';
    const leave = (): void => {
      lines.close();
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    lines.once('line', (text) => {
      line = text;
      lines.close();
    });
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT')); // in raw mode, the process does not see Ctrl-C
    lines.once('close', () => {
      signal.removeEventListener('abort', leave);
      resolve(line);
    });
  });
}
