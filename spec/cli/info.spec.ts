import { describe, expect, test } from '@jest/globals';
import { USER_AGENT } from '../../lib/http/user-agent.ts';
import { createMockBucket } from '../../mocks/bucket.ts';
import { createMockChunkedGraph } from '../../mocks/chunkedgraph.ts';
import { serveMocks } from '../../mocks/loopback.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { runCli } from './run-cli.ts';

describe('graphene-points info', () => {
  test('describes a graphene volume', async () => {
    const fixture = loadFixture('graphene_cseg_u64');
    const graph = createMockChunkedGraph({
      ...(fixture.graph as unknown as Parameters<typeof createMockChunkedGraph>[0]),
      dataDir: '{HOST}/bucket',
    });
    const served = await serveMocks({
      '/segmentation': graph,
      '/bucket': createMockBucket({ folder: fixture.folder }),
    });
    try {
      const path = `graphene://${served.url}/segmentation/table/mock`;
      const text = await runCli(['info', path]);
      const json = await runCli(['info', path, '--json']);
      const {
        graph: { chunk_size: chunkSize, n_layers: nLayers, cv_mip: cvMip },
      } = fixture.graph!.info;
      const [scale] = fixture.info.scales;
      expect([text.code, text.stderr, json.code]).toEqual([0, '', 0]);
      expect(text.stdout).toContain(
        `segmentation of uint64, 1 channel\ngraph: ${nLayers} layers; chunks of ${chunkSize.join(',')} voxels of mip ${cvMip} (cv_mip), counted from `,
      );
      expect(text.stdout).toMatch(
        new RegExp(
          `^0 +${scale.resolution.join(',')} +${scale.size.join(',')} +${scale.voxel_offset.join(',')} +`,
          'm',
        ),
      );
      const max = scale.voxel_offset.map((min, axis) => min + scale.size[axis]);
      expect(JSON.parse(json.stdout)).toMatchObject({
        path,
        type: 'segmentation',
        dataType: 'uint64',
        numChannels: 1,
        graph: { nLayers, chunkSize, cvMip, apiVersions: [0, 1], dataDir: `${served.url}/bucket` },
        scales: [
          {
            mip: 0,
            key: scale.key,
            encoding: scale.encoding,
            chunkSize: scale.chunk_sizes[0],
            bounds: { min: scale.voxel_offset, max },
          },
        ],
      });
    } finally {
      await served.close();
    }
  });

  test('describes a volume without a graph', async () => {
    const { code, stdout } = await runCli(['info', loadFixture('img_raw_u8_2ch').folder]);
    expect(code).toBe(0);
    expect(stdout).toContain('image of uint8, 2 channels\n\nmip  resolution (nm)');
    expect(stdout).not.toContain('graph');
  });
});

describe('graphene-points', () => {
  test('prints its version', async () =>
    expect(await runCli(['--version'])).toEqual({
      code: 0,
      stdout: `${USER_AGENT.split('/')[1]}\n`,
      stderr: '',
    }));

  test('prints help', async () => {
    const { code, stdout } = await runCli(['lookup', '--help']);
    expect(code).toBe(0);
    for (const flag of [
      '--points',
      '--out',
      '--timestamp-column',
      'Exit code: 0 if all rows are fine; 1 if any row',
    ])
      expect(stdout).toContain(flag);
  });

  test.each([[[]], [['what']], [['info']], [['info', 'a', 'b']]])('refuses %j with 2', async (argv) =>
    expect((await runCli(argv)).code).toBe(2),
  );
});

describe('graphene-points info: buckets', () => {
  const bucketServer = async () => {
    const mock = createMockBucket({ folder: loadFixture('img_raw_u8').folder });
    return { mock, served: await serveMocks({ '/bucket/vol': mock }) };
  };

  test.each(['gs', 's3'])('%s:// is read from --endpoint', async (scheme) => {
    const { mock, served } = await bucketServer();
    try {
      const { code, stdout, stderr } = await runCli([
        'info',
        `${scheme}://bucket/vol`,
        '--endpoint',
        served.url,
        '--anonymous',
      ]);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('image of uint8');
      expect(mock.log.requests).toHaveLength(1);
    } finally {
      await served.close();
    }
  });
  test.each<[string[], RegExp]>([
    [['--anonymous', '--requester-pays'], /'--anonymous' cannot be used with option '--requester-pays/],
    [['--anonymous', '--aws-profile', 'x'], /'--anonymous' cannot be used with option '--aws-profile/],
    [['--endpoint', 'minio'], /endpoint minio is not http\(s\):/],
    [['--endpoint', 'http://minio.lab', '--requester-pays', 'a b'], /requesterPays/],
    [
      ['--endpoint', 'http://minio.lab', '--aws-profile', 'x'],
      /credentials are sent only over TLS or to loopback/,
    ],
  ])('%j is bad usage', async (flags, words) => {
    const { code, stderr } = await runCli(['info', 's3://bucket/vol', ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(words)]);
  });
});
