import { describe, expect, test } from '@jest/globals';
import { parseGraphInfo } from '../../../lib/chunkedgraph/ids/graph-info.ts';
import { recorded } from '../../../testing/pcg-graph.ts';
import { loadFixture } from '../../../testing/fixtures.ts';
import { thrownBy } from '../../support/thrown-by.ts';

const URL_ = 'https://h.org/segmentation/table/t/info';
const graph = {
  chunk_size: [256, 256, 512],
  n_layers: 7,
  cv_mip: 1,
  n_bits_for_layer_id: 8,
  spatial_bit_masks: { 1: 10, 2: 10, 3: 9, 7: 5 },
};
const parse = (part: object = {}, graphPart: object = {}) =>
  parseGraphInfo({ data_dir: 'gs://b/ws', graph: { ...graph, ...graphPart }, ...part }, URL_);

describe('parseGraphInfo', () => {
  test('reads the info of a real server', () => {
    const { answer } = recorded.find(({ name }) => name === 'info')!;
    const info = parseGraphInfo(JSON.parse(Buffer.from(answer.body!, 'base64').toString()), URL_);
    expect(info).toMatchObject({
      chunkSize: [32, 32, 32],
      nLayers: 4,
      cvMip: 0,
      chunksStartAtVoxelOffset: true,
      dataDir: 'file://pcg_data/test_pcg/ws',
      apiVersions: [0, 1],
    });
    expect([1, 2, 3, 4, 5].map((layer) => info.ids.spatialBits(layer))).toEqual([10, 10, 1, 1, undefined]);
  });

  test('reads the info of a fixture volume', () => {
    const info = parseGraphInfo(loadFixture('graphene_cseg_u64').graph!.info, URL_);
    expect(info.nLayers).toBeGreaterThan(2);
    expect(info.ids.spatialBits(1)).toBeGreaterThan(0);
  });

  test('defaults to 8 layer bits, mip 0 and chunks counted from voxel 0', () => {
    const info = parseGraphInfo({ graph: { chunk_size: [64, 32, 16], n_layers: 5 } }, URL_);
    expect(info).toMatchObject({
      chunkSize: [64, 32, 16],
      nLayers: 5,
      cvMip: 0,
      chunksStartAtVoxelOffset: false,
      dataDir: undefined,
      apiVersions: [],
    });
    expect(info.ids.layerOf(0x05000000)).toBe(5);
    expect(info.ids.spatialBits(1)).toBeUndefined();
  });

  test('treats null like a missing field', () =>
    expect(
      parse(
        { data_dir: null, app: null, chunks_start_at_voxel_offset: null },
        { cv_mip: null, n_bits_for_layer_id: null, spatial_bit_masks: null },
      ),
    ).toMatchObject({ cvMip: 0, dataDir: undefined, chunksStartAtVoxelOffset: false, apiVersions: [] }));

  // The versions are only claims of the server.
  test.each([
    [{ supported_api_versions: [0, 99] }, [0, 99]],
    [{ supported_api_versions: ['v1'] }, []],
    [{ supported_api_versions: null }, []],
    [7, []],
    ['x', []],
  ])('accepts any app field: %j', (app, apiVersions) =>
    expect(parse({ app }).apiVersions).toEqual(apiVersions),
  );

  test('ignores unknown fields of any name', () => {
    const json: unknown = JSON.parse(
      `{"mesh": "m", "__proto__": {"graph": 1}, "graph": {"chunk_size": [1, 2, 3], "n_layers": 7, "fan_out": 2, "spatial_bit_masks": {"__proto__": 9, "2": 10}}}`,
    );
    const { nLayers, ids } = parseGraphInfo(json, URL_);
    expect([nLayers, ids.spatialBits(2)]).toEqual([7, 10]);
  });

  test.each<[what: string, json: unknown, field: RegExp]>([
    ['no object', null, /does not describe a chunkedgraph/],
    ['a list', [], /does not describe a chunkedgraph/],
    ['text', '<html>', /does not describe a chunkedgraph/],
    ['no graph', { data_dir: 'gs://b/ws' }, /: graph: /],
    ['a graph that is null', { graph: null }, /: graph: /],
    ['no chunk size', { graph: { n_layers: 7 } }, /graph\.chunk_size: /],
    ['a chunk size of two', { graph: { ...graph, chunk_size: [1, 2] } }, /graph\.chunk_size: /],
    ['a chunk size of 0', { graph: { ...graph, chunk_size: [1, 0, 2] } }, /graph\.chunk_size\[1\]: /],
    ['a broken chunk size', { graph: { ...graph, chunk_size: [1, 2, 2.5] } }, /graph\.chunk_size\[2\]: /],
    ['no layers', { graph: { ...graph, n_layers: undefined } }, /graph\.n_layers: /],
    ['one layer', { graph: { ...graph, n_layers: 1 } }, /graph\.n_layers: /],
    ['layers as text', { graph: { ...graph, n_layers: '7' } }, /graph\.n_layers: /],
    [
      'more layers than fit in the layer bits',
      { graph: { ...graph, n_layers: 16, n_bits_for_layer_id: 4 } },
      /graph\.n_layers 16 does not fit in 4 bits/,
    ],
    ['no layer bits', { graph: { ...graph, n_bits_for_layer_id: 0 } }, /graph\.n_bits_for_layer_id: /],
    ['33 layer bits', { graph: { ...graph, n_bits_for_layer_id: 33 } }, /graph\.n_bits_for_layer_id: /],
    ['a negative mip', { graph: { ...graph, cv_mip: -1 } }, /graph\.cv_mip: /],
    [
      'spatial bits of no layer',
      { graph: { ...graph, spatial_bit_masks: { x: 10 } } },
      /graph\.spatial_bit_masks\.x: /,
    ],
    [
      'negative spatial bits',
      { graph: { ...graph, spatial_bit_masks: { 1: -1 } } },
      /graph\.spatial_bit_masks\.1: /,
    ],
    [
      'spatial bits that do not fit into 64',
      { graph: { ...graph, spatial_bit_masks: { 1: 19 } } },
      /graph\.spatial_bit_masks\.1: 3 x 19 bits/,
    ],
    [
      'an origin flag that is not a boolean',
      { graph, chunks_start_at_voxel_offset: 'yes' },
      /chunks_start_at_voxel_offset: /,
    ],
    ['a data_dir that is not a text', { graph, data_dir: { evil: true } }, /data_dir: /],
  ])('refuses %s, and names the field', (_what, json, message) =>
    expect(thrownBy(() => parseGraphInfo(json, URL_))).toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      url: URL_,
      message: expect.stringMatching(message),
    }),
  );
});
