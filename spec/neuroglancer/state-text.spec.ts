import { describe, expect, test } from '@jest/globals';
import { isStateLink, readStateText, toPlainJson } from '../../lib/neuroglancer/state-text.ts';

const codeOf = (text: string): string => {
  try {
    readStateText(text);
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('the text of a state', () => {
  const state = { layers: [], note: `it's "a_b", & 50%` };

  test('is JSON', () => {
    expect(readStateText(JSON.stringify(state))).toEqual({ state });
    expect(readStateText(` \n${JSON.stringify(state, null, 2)}\n`)).toEqual({ state });
  });

  test('is a link with percent-encoded JSON, also one that changes the state', () => {
    const fragment = encodeURIComponent(JSON.stringify(state));
    expect(readStateText(`https://viewer.example/#!${fragment}`)).toEqual({ state });
    expect(readStateText(`https://viewer.example/v/1/#!+${fragment}`)).toEqual({ state });
  });

  test('is a link with URL-safe JSON, as urlSafeStringify of Neuroglancer writes it', () => {
    // Made with urlSafeStringify of Neuroglancer c0f79b1, of { a: `it's "a_b", & 50%`, b: [1, -2.5e-9, null] }.
    const fragment = `{'a':'it\\'s "a_b", & 50%25'_'b':[1_-2.5e-9_null]}`;
    expect(readStateText(`https://viewer.example/#!${fragment}`)).toEqual({
      state: { a: `it's "a_b", & 50%`, b: [1, -2.5e-9, null] },
    });
    expect(readStateText(`https://viewer.example/#!{'a':1&'b':2}`)).toEqual({ state: { a: 1, b: 2 } });
  });

  test.each([
    [
      'https://v.example/#!middleauth+https://g.example/nglstate/api/v1/5',
      'https://g.example/nglstate/api/v1/5',
    ],
    ['https://v.example/#!https://s.example/state.json', 'https://s.example/state.json'],
    [
      'https://v.example/?json_url=https://g.example/nglstate/api/v1/5',
      'https://g.example/nglstate/api/v1/5',
    ],
    ['https://v.example/?a=b&json_url=https%3A%2F%2Fg.example%2F5', 'https://g.example/5'],
    ['middleauth+https://g.example/nglstate/api/v1/5', 'https://g.example/nglstate/api/v1/5'],
    [' https://g.example/nglstate/api/v1/5\n', 'https://g.example/nglstate/api/v1/5'],
  ])('names where the state is: %s', (text, url) => {
    expect(readStateText(text)).toEqual({ url });
    expect(isStateLink(text)).toBe(true);
  });

  test.each([
    ['[1, 2]', 'BAD_STATE'],
    ['null', 'BAD_STATE'],
    ['x,y,z\n1,2,3\n', 'BAD_STATE'],
    ['{"layers": [', 'BAD_STATE'],
    ['', 'BAD_STATE'],
    ['https://v.example/#{"layers":[]}', 'BAD_STATE'],
    ['https://v.example/#!{%22layers%22:[]%', 'BAD_STATE'],
    ['https://v.example/?json_url=ftp://x', 'UNSUPPORTED'],
    ['https://v.example/?json_url=abc', 'BAD_STATE'],
    ['https://v.example/#!gs://bucket/state.json', 'UNSUPPORTED'],
  ])('is refused: %j', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  test('keeps all digits of IDs that are numbers', () => {
    expect(
      readStateText('{"a":[648518346349538689,-9007199254740993,"12345678901234567890",1.5]}').state,
    ).toEqual({ a: ['648518346349538689', '-9007199254740993', '12345678901234567890', 1.5] });
  });

  test('is read without recursion, in a time that grows with its length', () => {
    for (const text of [
      '['.repeat(1e6),
      '{"a":'.repeat(3e5),
      `{"a":"${'\\'.repeat(1e6)}`,
      `{"a":${'9'.repeat(1e6)}`,
    ])
      expect(codeOf(text)).toBe('BAD_STATE');
    expect(toPlainJson(`{'a':'${`\\'`.repeat(5e5)}'}`, true)).toBe(`{"a":"${"'".repeat(5e5)}"}`);
  });

  test('keeps members such as __proto__ as plain members', () => {
    const { state } = readStateText('{"__proto__":{"layers":[1]}}');
    expect(Object.keys(state!)).toEqual(['__proto__']);
    expect(({} as { layers?: unknown }).layers).toBeUndefined();
  });
});
