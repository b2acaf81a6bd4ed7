/** Loads the packages that decode the encodings of a volume, and no others. */
import { InfoError } from '../base/errors.ts';
import { codecFor } from '../codecs/registry.ts';
import type { Codec } from '../codecs/codec.ts';
import { importPackage } from '../http/import-package.ts';
import type { Scale } from '../precomputed/volume-info.ts';

/**
 * Loads what the decoders of the scales need. A scale whose decoder cannot be loaded gets an `error`, which is
 * thrown when that scale is used; the other scales can be read.
 *
 * @param url Where the info was read from, for errors.
 */
export async function loadDecoders(
  scales: readonly Scale[],
  url: string,
  find: (encoding: string) => Codec | undefined = codecFor,
): Promise<readonly Scale[]> {
  const loading = new Map<string, Promise<InfoError | undefined>>();
  for (const { encoding } of scales) {
    const codec = find(encoding);
    if (codec?.load && !loading.has(encoding)) loading.set(encoding, load(codec, url));
  }
  if (loading.size === 0) return scales;
  return Promise.all(
    scales.map(async (scale) => {
      const error = scale.error ?? (await loading.get(scale.encoding));
      return error ? { ...scale, error } : scale;
    }),
  );
}

async function load(codec: Codec, url: string): Promise<InfoError | undefined> {
  const { encoding, packageName } = codec;
  try {
    await importPackage(() => codec.load!());
    return undefined;
  } catch (cause) {
    return new InfoError(
      'UNSUPPORTED',
      `encoding ${encoding} of ${url} needs the package ${packageName}, which could not be loaded; to install it: npm install ${packageName}`,
      url,
      { cause },
    );
  }
}
