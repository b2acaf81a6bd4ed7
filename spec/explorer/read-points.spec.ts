import { describe, expect, test } from '@jest/globals';
import { type PastedPoints, PasteError } from '../../explorer/points/pasted-points.ts';
import { readPoints } from '../../explorer/points/read-points.ts';

const breathe = async (): Promise<void> => undefined;
const read = (text: string): Promise<PastedPoints> => readPoints(text, breathe);
const places = ({ coordinates }: PastedPoints): number[] => [...coordinates];

describe('readPoints', () => {
  const ORDINARY = [
    ['lines as viewers copy them', '[1, 2, 3]\n[4.5, -5, 6]\n', 'coordinates'],
    ['lines of bare numbers', '1, 2, 3\r\n\r\n4.5 -5 6', 'coordinates'],
    ['lines in round brackets', '(1; 2; 3)\n(4.5 -5 6)', 'coordinates'],
    ['CSV', 'x,y,z\n1,2,3\n4.5,-5,6\n', 'CSV'],
    ['CSV with other columns and another order', 'z,name,x,y\n3,a,1,2\n6,b,4.5,-5', 'CSV'],
    ['CSV with upper-case axes and a byte order mark', '\uFEFFX,Y,Z\n1,2,3\n4.5,-5,6', 'CSV'],
    [
      'CSV with the columns of CAVE',
      'id,pt_position_x,pt_position_y,pt_position_z\n7,1,2,3\n8,4.5,-5,6',
      'CSV',
    ],
    ['CSV with whole positions', 'id,pt_position\n7,"[1, 2, 3]"\n8,"[4.5 -5 6]"', 'CSV'],
    ['CSV with semicolons', 'x;y;z\n1;2;3\n4.5;-5;6', 'CSV'],
    ['CSV without a header', '1,2,3,a\n4.5,-5,6,b', 'CSV'],
    ['TSV', 'name\tx\ty\tz\na\t1\t2\t3\nb\t4.5\t-5\t6', 'TSV'],
    ['a JSON list of triples', '[[1,2,3],[4.5,-5,6]]', 'JSON'],
    ['a JSON object with points', '{"points": [[1,2,3],[4.5,-5,6]]}', 'JSON'],
    ['a JSON list of objects', '[{"x":1,"y":2,"z":3,"n":"a"},{"x":4.5,"y":-5,"z":6}]', 'JSON'],
    ['JSON columns', '{"x":[1,4.5],"y":[2,-5],"z":[3,6]}', 'JSON'],
  ] as const;
  test.each(ORDINARY)('reads %s', async (_, text, form) => {
    const points = await read(text);
    expect([points.form, places(points), points.notes]).toEqual([form, [1, 2, 3, 4.5, -5, 6], []]);
  });

  test('reads one position in brackets', async () => {
    expect(places(await read('[1, 2, 3]'))).toEqual([1, 2, 3]);
  });

  test('keeps the other columns, also IDs that a double would round', async () => {
    const csv = await read('id,x,y,z,note\n864691135494786192,1,2,3,"a, ""b"""\n5,4,5,6,');
    expect(csv.columns).toEqual([
      { name: 'id', values: ['864691135494786192', '5'] },
      { name: 'note', values: ['a, "b"', ''] },
    ]);
    const json = await read('[{"x":1,"y":2,"z":3,"id":864691135494786192}]');
    expect(json.columns).toEqual([{ name: 'id', values: ['864691135494786192'] }]);
  });

  test('keeps rows without a position in their places, and names the first of them', async () => {
    const { coordinates, notes } = await read('x,y,z\n1,2,3\n,,\n4,five,6\n"1,5",2,3');
    expect([...coordinates]).toEqual([1, 2, 3, ...Array<number>(9).fill(NaN)]);
    expect(notes).toEqual([
      '3 of 4 rows have no position of three numbers: row 3: , , ; row 4: 4, five, 6; row 5: 1,5, 2, 3',
    ]);
  });

  test('reads the points of a Neuroglancer state in its unit, and of a link that holds it', async () => {
    const state = JSON.stringify({
      dimensions: { x: [4e-9, 'm'], y: [4e-9, 'm'], z: [40e-9, 'm'] },
      layers: [
        {
          type: 'annotation',
          name: '<img src=x onerror=alert(1)>',
          source: 'local://annotations',
          annotations: [{ type: 'point', id: 'a', point: [230, 148, 29] }],
        },
      ],
    });
    const points = await read(state);
    expect([points.form, places(points), points.resolution]).toEqual([
      'Neuroglancer state',
      [230, 148, 29],
      [4, 4, 40],
    ]);
    expect(points.columns[0]).toEqual({ name: 'layer', values: ['<img src=x onerror=alert(1)>'] });
    expect(places(await read(`https://example.org/#!${encodeURIComponent(state)}`))).toEqual([230, 148, 29]);
  });

  test.each([
    ['nothing', ' \n', 'There is no text.'],
    ['cut JSON', '{"points": [[1, 2', 'it is not valid JSON'],
    ['a table without positions', 'a,b\n1,2', 'Its columns are: a, b'],
    [
      'a table with two positions',
      'pre_position_x,pre_position_y,pre_position_z,post_position_x,post_position_y,post_position_z\n',
      'several positions (pre_position_x, post_position_x)',
    ],
    ['a header alone', 'x,y,z\n', 'The table has no rows.'],
    ['a quote that is never closed', 'x,y,z\n"1,2,3', 'never closed'],
    ['JSON columns of unequal length', '{"x":[1],"y":[2,3],"z":[4]}', '1, 2 and 1 values'],
    ['an empty list', '[]', 'empty'],
    ['a state without annotations', '{"layers": []}', 'no annotation layer'],
    [
      'a link to a state elsewhere',
      'https://example.org/#!middleauth+https://example.org/nglstate/api/v1/5',
      'This page asks no other server',
    ],
  ])('refuses %s', async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(PasteError);
    await expect(read(text)).rejects.toThrow(message);
  });

  test('pauses while it reads a long text', async () => {
    let pauses = 0;
    const text = `x,y,z\n${'1,2,3\n'.repeat(50_000)}`;
    const { coordinates } = await readPoints(text, async () => void pauses++);
    expect([coordinates.length, pauses]).toEqual([150_000, 3]);
  });
});
