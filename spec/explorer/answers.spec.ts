import { describe, expect, test } from '@jest/globals';
import { Answers, Change } from '../../explorer/answers/answers.ts';
import { comparedSupervoxels, markChanges } from '../../explorer/answers/changes.ts';
import { countRoots, countStatuses } from '../../explorer/answers/counts.ts';
import { filterRows, sortRows } from '../../explorer/answers/row-order.ts';
import { csvCell, isFormula, writeCsv } from '../../explorer/answers/write-csv.ts';
import { PointStatus } from '../../lib/points/status.ts';

// Two IDs that are the same double.
const A = '864691135494786192',
  B = '864691135494786193',
  SHORT = '99';

/** Row 4 waits. */
function sample(): Answers {
  const answers = new Answers(5);
  answers.set(Uint32Array.of(3, 0), { supervoxel_id: ['11', '12'], root_id: [B, A], status: ['ok', 'ok'] });
  answers.set(Uint32Array.of(1, 2), {
    supervoxel_id: [null, '13'],
    root_id: [null, SHORT],
    status: ['background', 'ok'],
  });
  return answers;
}
const rootsOf = (answers: Answers): string[] => Array.from({ length: 5 }, (_, row) => answers.rootText(row));

describe('Answers', () => {
  test('puts each answer at its row, with exact IDs', () => {
    const answers = sample();
    expect(rootsOf(answers)).toEqual([A, '', SHORT, B, '']);
    expect(Array.from({ length: 5 }, (_, row) => answers.statusText(row))).toEqual([
      'ok',
      'background',
      'ok',
      'ok',
      'waiting',
    ]);
    expect([answers.answered, answers.supervoxelText(3)]).toEqual([4, '11']);
  });

  test.each([
    [{ supervoxel_id: ['1'], root_id: ['1', '2'], status: ['ok', 'ok'] }, 'supervoxel_id'],
    [{ supervoxel_id: ['1', '2'], root_id: ['1'], status: ['ok', 'ok'] }, 'root_id'],
    [{ supervoxel_id: ['1', '2'], status: [] }, 'status'],
  ])('refuses an answer that does not answer each row', (answer, name) => {
    expect(() => new Answers(2).set(Uint32Array.of(0, 1), answer)).toThrow(
      `whose ${name} does not match the 2 points`,
    );
  });

  test('counts roots and statuses', () => {
    const answers = sample();
    answers.set(Uint32Array.of(4), { supervoxel_id: ['14'], root_id: [SHORT], status: ['ok'] });
    expect(countRoots(answers).map(({ root, rows }) => [answers.roots.texts[root], rows])).toEqual([
      [SHORT, 2],
      [B, 1],
      [A, 1],
    ]);
    expect(countStatuses(answers)).toEqual(
      new Map([
        [PointStatus.ok, 4],
        [PointStatus.background, 1],
      ]),
    );
  });
});

describe('filterRows and sortRows', () => {
  const data = {
    coordinates: Float64Array.of(3, 0, 0, 1, 0, 0, NaN, 0, 0, 2, 0, 0, 2, 0, 0),
    answers: sample(),
    columns: [{ values: ['10', '9', '', '100', '9'] }, { values: ['b', 'a', '', 'c', 'a'] }],
  };
  const sorted = (column: string, descending = false): number[] => [
    ...sortRows(Uint32Array.of(0, 1, 2, 3, 4), { column, descending }, data),
  ];

  test.each([
    ['x', false, [1, 3, 4, 0, 2]],
    ['x', true, [0, 3, 4, 1, 2]],
    ['root', false, [2, 0, 3, 1, 4]],
    ['root', true, [3, 0, 2, 1, 4]],
    ['supervoxel', false, [3, 0, 2, 1, 4]],
    ['status', true, [1, 0, 2, 3, 4]],
    ['extra:0', false, [1, 4, 0, 3, 2]],
    ['extra:1', true, [3, 0, 1, 4, 2]],
    ['number', true, [4, 3, 2, 1, 0]],
  ])('sorts by %s (descending: %s), rows without a value last', (column, descending, expected) => {
    expect(sorted(column, descending)).toEqual(expected);
  });

  test('filters by status, by the start of a root, and by chosen rows', () => {
    const { answers } = data;
    expect([...filterRows(answers, { status: PointStatus.ok })]).toEqual([0, 2, 3]);
    expect([...filterRows(answers, { root: A })]).toEqual([0]);
    expect([...filterRows(answers, { root: '8646' })]).toEqual([0, 3]);
    expect([...filterRows(answers, { root: '8646', only: new Set([3, 2]) })]).toEqual([3]);
    expect([...filterRows(answers, {})]).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('markChanges', () => {
  test('marks rows whose root differs, and leaves out what has no root then', () => {
    const answers = sample();
    const number = (id: string): number => answers.supervoxels.indexOf(id)!;
    expect(
      Array.from(comparedSupervoxels(answers), (index) => answers.supervoxels.texts[index]).sort(),
    ).toEqual(['11', '12', '13']);
    const other = new Map([
      [number('11'), A],
      [number('12'), A],
      [number('13'), null],
    ]);
    expect(markChanges(answers, other)).toEqual({ compared: 2, changed: 1 });
    expect([...answers.change]).toEqual([
      Change.same,
      Change.unknown,
      Change.unknown,
      Change.changed,
      Change.unknown,
    ]);
    expect([answers.otherRootText(3), rootsOf(answers)]).toEqual([A, [A, '', SHORT, B, '']]);
    expect([...filterRows(answers, { changedOnly: true })]).toEqual([3]);
  });
});

describe('writeCsv', () => {
  test('writes the rows in the given order, the columns of the reader first', () => {
    const answers = sample();
    const csv = [
      ...writeCsv({
        coordinates: Float64Array.of(1, 2, 3, 4, 5, 6, NaN, NaN, NaN, 0.1, -2, 1e21, 7, 8, 9),
        columns: [{ name: 'note', values: ['a "b"', 'c,d', '=1+1', '-5', ''] }],
        answers,
        rows: Uint32Array.of(3, 2, 0, 4),
      }),
    ].join('');
    expect(csv.split('\r\n')).toEqual([
      'note,x,y,z,supervoxel_id,root_id,status',
      `-5,0.1,-2,1e+21,11,${B},ok`,
      `'=1+1,,,,13,${SHORT},ok`,
      `"a ""b""",1,2,3,12,${A},ok`,
      ',7,8,9,,,waiting',
      '',
    ]);
  });

  test('adds the second timestamp', () => {
    const answers = sample();
    markChanges(answers, new Map([[answers.supervoxels.indexOf('11')!, A]]));
    const [header, rows] = [
      ...writeCsv({
        coordinates: new Float64Array(15),
        columns: [],
        answers,
        rows: Uint32Array.of(3, 0),
        otherTimestamp: '2024-06-06',
      }),
    ];
    expect(header).toBe('x,y,z,supervoxel_id,root_id,status,root_id at 2024-06-06,changed\r\n');
    expect(rows).toBe(`0,0,0,11,${B},ok,${A},yes\r\n0,0,0,12,${A},ok,,\r\n`);
  });

  test.each(['=cmd()', '+1+1', '-1+1', '@SUM(A1)', ' =1', '\t=1', '"=1', "'=1", '|cmd', '%0A'])(
    'guards %j against spreadsheets',
    (text) => expect(csvCell(text)).toMatch(/^"?'/),
  );
  test.each(['-5', '+5', '1e-3', '-.5', 'a=b', '', 'neuron', '864691135494786192'])(
    'leaves %j as it is',
    (text) => {
      expect([isFormula(text), csvCell(text)]).toEqual([false, text]);
    },
  );
});
