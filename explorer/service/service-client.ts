/** Asks the service that this page came from, and no other server. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { PointsAnswer } from '../answers/answers.ts';
import type { VolumeInfo } from './volume-info.ts';
import { describeFailure, readRetryAfter, ServiceError } from './service-error.ts';

/** What `POST /v1/{name}/roots` sends. */
export interface RootsAnswer {
  readonly root_id: readonly (string | null)[];
  readonly status: readonly string[];
}

export interface PointsRequest {
  readonly resolution: Vec3;
  /** An ISO time; undefined where there are no roots. */
  readonly timestamp?: string;
  readonly signal: AbortSignal;
}

export class ServiceClient {
  /** The caller's token. It is kept in memory, and sent to this service only. */
  token = '';

  async volumes(signal?: AbortSignal): Promise<string[]> {
    const { volumes } = await this.#json<{ volumes: string[] }>('v1', { signal });
    return volumes;
  }

  info(volume: string, signal?: AbortSignal): Promise<VolumeInfo> {
    return this.#json<VolumeInfo>(`v1/${encodeURIComponent(volume)}/info`, { signal });
  }

  /** Turns a text such as `settled` or `mat_943` into the time that it means. */
  async timestamp(volume: string, text: string, signal: AbortSignal): Promise<string> {
    const query = new URLSearchParams({ timestamp: text });
    const path = `v1/${encodeURIComponent(volume)}/timestamp?${query}`;
    return (await this.#json<{ timestamp: string }>(path, { signal })).timestamp;
  }

  /** Looks up points: x, y and z in turn. */
  points(volume: string, coordinates: Float64Array, request: PointsRequest): Promise<PointsAnswer> {
    return this.#json<PointsAnswer>(this.#pointsPath(volume, request), {
      ...this.#pointsBody(coordinates, 'application/json'),
      signal: request.signal,
    });
  }

  /** Looks up points, and returns the answers as a Parquet file. */
  async parquet(volume: string, coordinates: Float64Array, request: PointsRequest): Promise<Blob> {
    const response = await this.#send(this.#pointsPath(volume, request), {
      ...this.#pointsBody(coordinates, 'application/vnd.apache.parquet'),
      signal: request.signal,
    });
    return response.blob();
  }

  /** Looks up the roots of supervoxels. */
  roots(
    volume: string,
    ids: readonly string[],
    timestamp: string,
    signal: AbortSignal,
  ): Promise<RootsAnswer> {
    return this.#json<RootsAnswer>(
      `v1/${encodeURIComponent(volume)}/roots?${new URLSearchParams({ timestamp })}`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify({ ids }),
        signal,
      },
    );
  }

  #pointsPath(volume: string, { resolution, timestamp }: PointsRequest): string {
    const query = new URLSearchParams({
      resolution: resolution.join(','),
      ...(timestamp !== undefined && { timestamp }),
    });
    return `v1/${encodeURIComponent(volume)}/points?${query}`;
  }

  #pointsBody(coordinates: Float64Array, accept: string): RequestInit {
    return {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream', Accept: accept },
      body: coordinates as BodyInit,
    };
  }

  async #json<T>(path: string, init: RequestInit): Promise<T> {
    const response = await this.#send(path, init);
    return (await response.json()) as T;
  }

  /** @throws ServiceError, or the reason of the signal. */
  async #send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.token !== '') headers.set('Authorization', `Bearer ${this.token}`);
    let response: Response;
    try {
      response = await fetch(path, {
        ...init,
        headers,
        credentials: 'omit',
        redirect: 'error',
        cache: 'no-store',
      });
    } catch (error) {
      init.signal?.throwIfAborted();
      throw new ServiceError(describeFailure(0, String(error)), { status: 0 });
    }
    if (response.ok) return response;
    throw new ServiceError(describeFailure(response.status, await response.text()), {
      status: response.status,
      retryAfterMs: readRetryAfter(response.headers.get('Retry-After')),
    });
  }
}
