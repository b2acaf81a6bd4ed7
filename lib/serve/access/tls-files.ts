/**
 * The certificate and the key of a service. They are read again when their files have changed, because certificates
 * are renewed every few months.
 */
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { AccessError } from '../../base/errors.ts';

/** A certificate with its chain, and its key, in PEM. */
export interface TlsPair {
  cert: Buffer;
  key: Buffer;
}

/** What takes a new certificate: the server of `node:https`. */
interface TlsServer {
  setSecureContext(pair: TlsPair): void;
}

/** How often the files are looked at, in ms. */
const CHECK_MS = 60_000;

/** The two files of one service. */
export class TlsFiles {
  readonly #cert: string;
  readonly #key: string;
  #version = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(cert: string, key: string) {
    this.#cert = cert;
    this.#key = key;
  }

  /**
   * Reads both files.
   * @throws AccessError UNSAFE_SETTINGS for files that cannot be read or do not belong together, and for a key that
   *   everybody on this machine can read.
   */
  async read(): Promise<TlsPair> {
    const version = await this.#versions(),
      [cert, key] = await Promise.all([contentOf('--cert', this.#cert), contentOf('--key', this.#key)]);
    try {
      createSecureContext({ cert, key });
    } catch (error) {
      throw unusable(
        `--cert ${this.#cert} and --key ${this.#key} are not a certificate and its key in PEM without a passphrase (${(error as NodeJS.ErrnoException).code})`,
      );
    }
    this.#version = version;
    return { cert, key };
  }

  /** Gives new files to a server until `stop`. Files that cannot be used are reported; the old ones stay in use. */
  follow(server: TlsServer, warn: (message: string) => void): void {
    this.#timer = setInterval(() => void this.refresh(server, warn), CHECK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Gives the files to a server if they have changed. */
  async refresh(server: TlsServer, warn: (message: string) => void): Promise<void> {
    try {
      if ((await this.#versions()) !== this.#version) server.setSecureContext(await this.read());
    } catch (error) {
      warn(`${(error as Error).message}; the certificate that was read before stays in use`);
    }
  }

  async #versions(): Promise<string> {
    const [cert, key] = await Promise.all([statOf('--cert', this.#cert), statOf('--key', this.#key)]);
    if (process.platform !== 'win32' && (key.mode & 0o007) !== 0)
      throw unusable(
        `--key ${this.#key}: everybody on this machine can read or write it (mode ${(key.mode & 0o777).toString(8)}): chmod 600 it`,
      );
    return [cert, key]
      .map(({ ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join())
      .join(' ');
  }
}

const statOf = (flag: string, file: string): Promise<Stats> =>
  stat(file).catch((error: NodeJS.ErrnoException) => {
    throw unusable(`${flag} ${file} cannot be read (${error.code})`);
  });

const contentOf = (flag: string, file: string): Promise<Buffer> =>
  readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw unusable(`${flag} ${file} cannot be read (${error.code})`);
  });

const unusable = (message: string): AccessError => new AccessError('UNSAFE_SETTINGS', message);
