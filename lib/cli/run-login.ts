/** `graphene-points login`: from a web page to the file where tokens are looked for. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { saveToken, newTokenPage, tokenListPage } from '../cave/save-token.ts';
import { DEFAULT_CAVE_SERVER, parseServer } from '../cave/cave-server.ts';
import { type Io, UsageError } from './io.ts';
import type { Report } from './report.ts';

export async function runLogin(server: string | undefined, io: Io, report: Report): Promise<void> {
  const host = parseServer(server ?? DEFAULT_CAVE_SERVER);
  report.line(
    `Make a token at ${newTokenPage(host)} (that ends the one you have), or copy the one you have from ${tokenListPage(host)}.`,
  );
  io.stderr.write('Token (it is not shown): ');
  const token = (await readHidden(io)).trim().replace(/^"(.*)"$/, '$1');
  io.stderr.write('\n');
  if (token === '') throw new UsageError('no token was given; nothing was written');
  // A page may be pasted instead of what is on it.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UsageError('a token is one word of plain letters, digits and signs; nothing was written');
  const files = await saveToken(host, token, io.env);
  for (const file of files) report.line(`wrote ${file}`);
  report.line('try it: graphene-points doctor CLOUDPATH');
}

/** The first line of standard input; a terminal does not show it. @throws signal.reason. */
function readHidden({ stdin, signal }: Io): Promise<string> {
  return new Promise((resolve, reject) => {
    // readline writes back what is typed; here it writes to nowhere.
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
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT')); // raw mode keeps Ctrl-C from the process
    lines.once('close', () => {
      signal.removeEventListener('abort', leave);
      resolve(line);
    });
  });
}
