/**
 * The file of tokens that callers may send: one token per line, or a line of JSON with its name and rights. The file
 * is read again when it has changed, so that a token can be revoked without a restart.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import * as z from 'zod/mini';
import { AccessError } from '../../base/errors.ts';
import { firstIssue, safeParse } from '../../base/schema.ts';
import { isToken, MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH } from './bearer-token.ts';
import { TokenKeys } from './token-keys.ts';

/** The rights of a token. The token itself is not kept. */
export interface TokenRights {
  /** Its name, or `line N`. */
  name: string;
  /** Names of the volumes that it may ask; undefined for all. */
  volumes: readonly string[] | undefined;
  /** Whether it may ask for roots. */
  roots: boolean;
}

const LINE = z.strictObject({
  token: z.string(),
  name: z.optional(z.string().check(z.regex(/^[\w.@ -]{1,64}$/))),
  volumes: z.optional(z.array(z.string()).check(z.minLength(1))),
  roots: z.optional(z.boolean()),
});

const MAX_BYTES = 2 ** 20;
/** How long a list of tokens is used before the file is looked at again, in ms. */
const CHECK_MS = 5000;

/** What a file is recognized by. */
type Version = string;

/** The tokens of a file. */
export class TokenFile {
  readonly #file: string;
  readonly #options: TokenFileOptions;
  readonly #keys = new TokenKeys();
  #tokens: ReadonlyMap<string, TokenRights> = new Map();
  #version: Version = '';
  #checkedMs = -Infinity;
  #checking: Promise<void> | undefined;

  private constructor(file: string, options: TokenFileOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Reads a file. @throws AccessError BAD_TOKEN_FILE. */
  static async open(file: string, options: TokenFileOptions): Promise<TokenFile> {
    const tokens = new TokenFile(file, options);
    await tokens.#read();
    tokens.#checkedMs = options.now();
    return tokens;
  }

  /**
   * Returns the rights of a token; undefined if the file does not have it. A file that has become unusable is
   * reported, and the tokens that were read before stay valid.
   */
  async rightsOf(token: string): Promise<TokenRights | undefined> {
    const { now, warn } = this.#options;
    if (now() - this.#checkedMs >= CHECK_MS) {
      this.#checkedMs = now();
      this.#checking = this.#read().catch((error: unknown) =>
        warn(`${(error as Error).message}; the tokens that were read before stay valid`),
      );
    }
    await this.#checking;
    return this.#tokens.get(this.#keys.keyOf(token));
  }

  async #read(): Promise<void> {
    const { text, version } = await readSecretLines(this.#file, this.#version);
    if (text === undefined) return;
    const tokens = new Map<string, TokenRights>();
    for (const { token, line, ...rights } of parseTokenFile(text, this.#file, this.#options.volumes)) {
      const key = this.#keys.keyOf(token);
      if (tokens.has(key)) throw badFile(this.#file, `line ${line} repeats a token of an earlier line`);
      tokens.set(key, rights);
    }
    this.#tokens = tokens;
    this.#version = version;
  }
}

/** What a file of tokens is read with. */
export interface TokenFileOptions {
  /** Names of the volumes that the file may name. */
  volumes: readonly string[];
  warn: (message: string) => void;
  /** A clock that never jumps, in ms. */
  now: () => number;
}

/**
 * Reads a file that only its owner may read. Without a text if the file is still the same.
 * @throws AccessError BAD_TOKEN_FILE.
 */
async function readSecretLines(file: string, known: Version): Promise<{ text?: string; version: Version }> {
  // Opening a pipe would wait for its writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      throw badFile(file, `it cannot be read (${error.code})`);
    },
  );
  try {
    const { mode, size, mtimeMs, ctimeMs, ino } = await handle.stat(),
      isFile = (mode & 0o170000) === 0o100000;
    if (!isFile) throw badFile(file, 'it is not a file');
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw badFile(
        file,
        `other users can read or write it (mode ${(mode & 0o777).toString(8)}): chmod 600 it`,
      );
    if (size > MAX_BYTES) throw badFile(file, `it has more than ${MAX_BYTES} bytes`);
    const version = [ino, size, mtimeMs, ctimeMs].join();
    if (version === known) return { version };
    return { version, text: await handle.readFile('utf8') };
  } finally {
    await handle.close();
  }
}

/**
 * Parses a file of tokens. Empty lines and lines that begin with # are skipped.
 * @param volumes Names that a line may name.
 * @throws AccessError BAD_TOKEN_FILE, which names the line, and never quotes a token.
 */
export function parseTokenFile(
  text: string,
  file: string,
  volumes: readonly string[],
): (TokenRights & { token: string; line: number })[] {
  const tokens = text.split(/\r?\n/).flatMap((raw, at) => {
    const content = raw.trim(),
      line = at + 1;
    if (content === '' || content.startsWith('#')) return [];
    const parsed = content.startsWith('{') ? parseLine(content, line, file) : { token: content };
    if (!isToken(parsed.token))
      throw badFile(
        file,
        `line ${line} has no token of ${MIN_TOKEN_LENGTH} to ${MAX_TOKEN_LENGTH} letters, digits and signs -._~+/; make one with: openssl rand -hex 32`,
      );
    const unknown = parsed.volumes?.find((name) => !volumes.includes(name));
    if (unknown !== undefined)
      throw badFile(
        file,
        `line ${line} names the volume ${JSON.stringify(unknown)}; there is ${volumes.join(', ')}`,
      );
    return {
      token: parsed.token,
      line,
      name: parsed.name ?? `line ${line}`,
      volumes: parsed.volumes,
      roots: parsed.roots ?? true,
    };
  });
  if (tokens.length === 0) throw badFile(file, 'it holds no token; make one with: openssl rand -hex 32');
  return tokens;
}

function parseLine(content: string, line: number, file: string): z.infer<typeof LINE> {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch {
    throw badFile(file, `line ${line} is not JSON`); // the message of the parser quotes the line
  }
  const parsed = safeParse(LINE, json);
  if (!parsed.success) throw badFile(file, `line ${line}: ${firstIssue(parsed.error)}`);
  return parsed.data;
}

const badFile = (file: string, what: string): AccessError =>
  new AccessError('BAD_TOKEN_FILE', `the file of tokens ${file}: ${what}`);
