/** Loads the packages that decode the encodings of a volume, and no others. */
import { InfoError } from '../base/errors.ts';
import { codecFor, requireCodec } from '../codecs/registry.ts';
import type { Codec } from '../codecs/codec.ts';
import { importPackage } from '../http/import-package.ts';
import type { Scale, VolumeInfo } from '../precomputed/volume-info.ts';

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
  const errors = new Map<string, InfoError | undefined>();
  for (const { encoding } of scales) {
    const codec = find(encoding);
    if (codec?.load && !errors.has(encoding)) errors.set(encoding, await load(codec, url));
  }
  if (errors.size === 0) return scales;
  return scales.map((scale) => {
    const error = scale.error ?? errors.get(scale.encoding);
    return error ? { ...scale, error } : scale;
  });
}

/**
 * Does the same, and gives an error to scales whose encoding is not supported, too. For showing what can be read:
 * a volume checks the encoding of a scale when that scale is used.
 */
export async function checkDecoders(
  { scales, dataType, numChannels: channels }: VolumeInfo,
  url: string,
): Promise<readonly Scale[]> {
  return (await loadDecoders(scales, url)).map((scale) => {
    try {
      if (!scale.error) requireCodec(scale.encoding, dataType, { url, channels });
      return scale;
    } catch (error) {
      if (!(error instanceof InfoError)) throw error;
      return { ...scale, error };
    }
  });
}

async function load(codec: Codec, url: string): Promise<InfoError | undefined> {
  try {
    await importPackage(() => codec.load!());
    return undefined;
  } catch (cause) {
    const { encoding, packageName } = codec;
    const what = packageName
      ? `needs the package ${packageName}, which could not be loaded; to install it: npm install ${packageName}`
      : 'has a decoder that could not be loaded: is the installation of graphene-points complete?';
    return new InfoError('UNSUPPORTED', `encoding ${encoding} of ${url} ${what}`, url, { cause });
  }
}
