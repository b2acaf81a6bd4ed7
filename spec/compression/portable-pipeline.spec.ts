/**
 * Points read end to end with the portable inflater: every fixture without brotli, compared with the answers
 * of CloudVolume.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Inflater } from '../../lib/compression/inflater.ts';
import { packageFileUrl, readPackageFile } from '../../lib/compression/node/read-package-file.ts';
import { crc32 } from '../../lib/compression/portable/checksums.ts';
import { portableInflater } from '../../lib/compression/portable/fflate-inflater.ts';
import { inflateStepsPortably } from '../../lib/compression/portable/inflate-steps-portably.ts';
import type * as Sdk from '../../lib/index.ts';
import { expectedAnswers, shownAnswers } from '../../testing/fixture-answers.ts';
import { fixtureVolumes, loadFixture, VOLUMES_FOLDER } from '../../testing/fixtures.ts';

let sdk: typeof Sdk;
let calls = 0;
const counted: Inflater = {
  inflate: (...given) => (calls++, portableInflater.inflate(...given)),
  inflateWindows: (...given) => (calls++, portableInflater.inflateWindows(...given)),
};
beforeAll(async () => {
  jest.unstable_mockModule('../../lib/compression/platform.ts', () => ({ inflater: counted }));
  jest.unstable_mockModule('../../lib/compression/image-platform.ts', () => ({
    inflateSteps: inflateStepsPortably,
    crc32,
    readPackageFile,
    packageFileUrl,
  }));
  sdk = await import('../../lib/index.ts');
});
afterAll(() => expect(calls).toBeGreaterThan(100));

const open = (name: string): Promise<Sdk.PrecomputedVolume> =>
  sdk.openPrecomputed(join(VOLUMES_FOLDER, name), { logger: { warn: () => undefined } });
const volumes = [...fixtureVolumes(), ...fixtureVolumes({ sharded: true })].map(({ name }) => name);
/** Its values may differ by a little; see spec/graphene/fixtures.spec.ts. */
const isLossy = (name: string): boolean => name === 'img_jxl_u8';
const withBrotli = volumes.filter((name) => /_br\b|brotli/.test(name));

describe('a volume on the portable inflater', () => {
  test.each([...new Set(volumes)].filter((name) => !withBrotli.includes(name) && !isLossy(name)))(
    'gives the answers of CloudVolume: %s',
    async (name) => {
      await using volume = await open(name);
      for (const scale of loadFixture(name).scales) {
        const { resolution } = volume.scales[scale.mip];
        const result = await volume.scatteredPoints(scale.points, { mip: scale.mip, resolution });
        expect(shownAnswers(result.rows())).toEqual(expectedAnswers(scale, volume.dataType));
      }
    },
  );

  test('fails for brotli with an error that names it', async () => {
    expect(withBrotli.length).toBeGreaterThan(0);
    await using volume = await open(withBrotli[0]);
    const { points, values } = loadFixture(withBrotli[0]).scales[0];
    const inside = points.filter((_point, k) => values[k] !== null);
    await expect(
      volume.scatteredPoints(inside.slice(0, 3), { resolution: volume.scales[0].resolution }),
    ).rejects.toThrow(/brotli/);
  });
});
