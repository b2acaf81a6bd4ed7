/**
 * Materialization versions as moments: `mat` is the newest one, `mat_943` that one.
 * Source: CAVEclient, caveclient/materializationengine.py, `get_versions` and `get_timestamp`.
 */
import * as z from 'zod';
import { leaveOnAbort } from '../base/abort.ts';
import { InfoError, TimestampError } from '../base/errors.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import type { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { parseTimestamp } from '../chunkedgraph/ids/timestamp.ts';
import { requestJson, serviceUrl } from './cave-server.ts';

/** The versions of one datastack; each is asked for once. */
export class MaterializationVersions {
  readonly #server: GraphServer<Host>;
  readonly #datastack: string;
  readonly #moments = new Map<number, Promise<Date>>();

  constructor(server: GraphServer<Host>, datastack: string) {
    this.#server = server;
    this.#datastack = datastack;
  }

  /** Versions that have not expired, as the server lists them. @throws as {@link timestampOf}. */
  list(signal?: AbortSignal): Promise<number[]> {
    return requestJson(
      this.#server,
      `${this.#path}/versions?expired=False`,
      z.array(z.int().nonnegative()),
      `list of versions of datastack ${this.#datastack}`,
      signal,
    );
  }

  /**
   * When a version was frozen. The newest is asked for again each time: a new one may have come.
   * @throws GraphError; InfoError NOT_FOUND, BAD_INFO; TimestampError when there is no version.
   */
  async timestampOf(version: number | 'newest', signal?: AbortSignal): Promise<Date> {
    if (version === 'newest') {
      const versions = await this.list(signal);
      if (versions.length === 0)
        throw new TimestampError(
          `datastack ${this.#datastack} has no materialization that is still there: name a moment, or one as mat_NUMBER`,
        );
      version = versions.reduce((a, b) => Math.max(a, b));
    }
    let moment = this.#moments.get(version);
    if (!moment) {
      moment = this.#ask(version);
      this.#moments.set(version, moment);
      moment.catch(() => this.#moments.delete(version)); // whoever asks next tries again
    }
    return leaveOnAbort(moment, signal, () => undefined);
  }

  async #ask(version: number): Promise<Date> {
    const path = `${this.#path}/version/${version}`;
    const { time_stamp: text } = await requestJson(
      this.#server,
      path,
      z.looseObject({ time_stamp: z.string() }),
      `version ${version} of datastack ${this.#datastack}`,
    );
    try {
      return parseTimestamp(text);
    } catch (error) {
      const url = serviceUrl(this.#server.path, path);
      throw new InfoError('BAD_INFO', `${url}: time_stamp: ${(error as Error).message}`, url, {
        cause: error,
      });
    }
  }

  get #path(): string {
    return `/materialize/api/v2/datastack/${encodeURIComponent(this.#datastack)}`;
  }
}
