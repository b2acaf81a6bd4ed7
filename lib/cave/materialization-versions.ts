/**
 * The timestamps of materialization versions: `mat` is the newest version, `mat_943` is version 943.
 * Source: CAVEclient, caveclient/materializationengine.py, `get_versions` and `get_timestamp`.
 */
import * as z from 'zod/mini';
import { leaveOnAbort } from '../base/abort.ts';
import { InfoError, TimestampError } from '../base/errors.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import type { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { parseTimestamp } from '../chunkedgraph/ids/timestamp.ts';
import { requestJson, serviceUrl } from './cave-server.ts';

/** The materialization versions of one datastack. Each timestamp is requested once. */
export class MaterializationVersions {
  readonly #server: GraphServer<Host>;
  readonly #datastack: string;
  readonly #timestamps = new Map<number, Promise<Date>>();

  constructor(server: GraphServer<Host>, datastack: string) {
    this.#server = server;
    this.#datastack = datastack;
  }

  /**
   * Lists the versions that have not expired, in the server's order.
   * @throws GraphError or InfoError, as {@link timestampOf} does.
   */
  list(signal?: AbortSignal): Promise<number[]> {
    return requestJson(
      this.#server,
      `${this.#path}/versions?expired=False`,
      z.array(z.int().check(z.nonnegative())),
      `list of versions of datastack ${this.#datastack}`,
      signal,
    );
  }

  /**
   * Returns the timestamp of a version. The newest version is looked up again in each call, because a new one
   * may exist.
   * @throws GraphError; InfoError NOT_FOUND or BAD_INFO; TimestampError if there is no version.
   */
  async timestampOf(version: number | 'newest', signal?: AbortSignal): Promise<Date> {
    if (version === 'newest') {
      const versions = await this.list(signal);
      if (versions.length === 0)
        throw new TimestampError(
          `datastack ${this.#datastack} has no materialization version that is still available: give a date, or a version as mat_NUMBER`,
        );
      version = versions.reduce((a, b) => Math.max(a, b));
    }
    let timestamp = this.#timestamps.get(version);
    if (!timestamp) {
      timestamp = this.#request(version);
      this.#timestamps.set(version, timestamp);
      timestamp.catch(() => this.#timestamps.delete(version)); // the next call retries
    }
    return leaveOnAbort(timestamp, signal, () => undefined);
  }

  async #request(version: number): Promise<Date> {
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
