/**
 * Zstandard frames to bytes: all block types, several frames, skippable frames, content checksums; no dictionaries.
 * Source: RFC 8878. Node 20 has no zstd, and a decoder for bytes from anywhere must check every length before it copies:
 * work and memory are bounded by the input's size and `maxBytes`. The input is never written to.
 */
import { DecodeError } from '../base/errors.ts';
import { BackwardBits, corrupt, fseTable, readFseTable, readHuffman, readHuffmanTable, rleTable, type FseTable, type HuffmanTable } from './zstd-entropy.ts';
import { xxHash64Low } from './xxhash64.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const MAX_BLOCK = 128 * 1024;
/** Behind the input, so that words are read without asking where it ends. */
const PADDING = 8;

const truncated = (): DecodeError => new DecodeError('TRUNCATED', 'zstd: the data end inside a frame');

/** Base value and count of extra bits of each code: RFC 8878, 3.1.1.3.2.1.1. */
const LITERAL_BITS = [...Array<number>(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_BITS = [...Array<number>(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const basesOf = (bits: number[], first: number): Int32Array => {
  const bases = new Int32Array(bits.length);
  for (let code = 0; code < bits.length; code++, first += 1 << bits[code - 1]) bases[code] = first;
  return bases;
};
const LITERAL_BASE = basesOf(LITERAL_BITS, 0);
const MATCH_BASE = basesOf(MATCH_BITS, 3);

/** Literal lengths, offsets, match lengths, in the order of the modes byte. `counts` are those of the predefined mode: 3.1.1.3.2.2. */
const KINDS = [
  { maxLog: 9, maxSymbol: 35, log: 6, counts: [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1] },
  { maxLog: 8, maxSymbol: 31, log: 5, counts: [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1] },
  { maxLog: 9, maxSymbol: 52, log: 6, counts: [1, 4, 3, 2, 2, 2, 2, 2, 2, ...Array<number>(37).fill(1), -1, -1, -1, -1, -1, -1, -1] },
];
const PREDEFINED = KINDS.map(({ counts, log }) => fseTable(counts, log));

/**
 * All frames of `bytes`, one after the other.
 * @param expectedBytes First size of the output; frames that name their size overrule it.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE, UNSUPPORTED (a dictionary)
 */
export function decodeZstd(bytes: Uint8Array, maxBytes: number, expectedBytes: number): Uint8Array {
  const source = new Uint8Array(bytes.byteLength + PADDING);
  source.set(bytes);
  const output = new Output(maxBytes, expectedBytes);
  if (bytes.byteLength < 4) throw truncated();
  for (let at = 0; at < bytes.byteLength; ) at = readFrame(source, at, bytes.byteLength, output);
  return output.bytes.subarray(0, output.length);
}

/** What has been decoded so far; later parts refer to earlier ones. */
class Output {
  bytes: Uint8Array;
  length = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number, expectedBytes: number) {
    this.#maxBytes = maxBytes;
    this.bytes = new Uint8Array(Math.min(maxBytes, expectedBytes));
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const wanted = this.length + count;
    if (wanted > this.#maxBytes) throw new DecodeError('TOO_LARGE', `zstd: more than the ${this.#maxBytes} bytes expected`);
    if (wanted <= this.bytes.length) return;
    const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(wanted, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** What blocks hand on within one frame. */
interface FrameState {
  /** Where the frame's output starts: matches reach no further back. */
  start: number;
  maxBlock: number;
  huffman: HuffmanTable | undefined;
  tables: (FseTable | undefined)[];
  recent: [number, number, number];
}

const uint32 = (source: Uint8Array, at: number): number => (source[at] | (source[at + 1] << 8) | (source[at + 2] << 16) | (source[at + 3] << 24)) >>> 0;

/** Decodes the frame at `at` and gives the byte behind it. */
function readFrame(source: Uint8Array, at: number, end: number, output: Output): number {
  const need = (count: number): void => {
    if (count > end - at) throw truncated();
  };
  need(4);
  const magic = uint32(source, at);
  at += 4;
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
    need(4);
    const size = uint32(source, at);
    at += 4;
    need(size);
    return at + size;
  }
  if (magic !== MAGIC) throw corrupt('no frame where one should begin');
  need(1);
  const descriptor = source[at++];
  if (descriptor & 8) throw corrupt('a reserved bit is set');
  const singleSegment = (descriptor & 32) !== 0, sizeFlag = descriptor >> 6, dictionaryBytes = [0, 1, 2, 4][descriptor & 3];
  const sizeBytes = sizeFlag === 0 ? Number(singleSegment) : 1 << sizeFlag;
  need(Number(!singleSegment) + dictionaryBytes + sizeBytes);
  const window = singleSegment ? undefined : 2 ** (10 + (source[at] >> 3)) * (1 + (source[at++] & 7) / 8);
  for (let k = 0; k < dictionaryBytes; k++) if (source[at++] !== 0) throw new DecodeError('UNSUPPORTED', 'zstd: the frame needs a dictionary');
  let contentBytes: number | undefined;
  if (sizeBytes > 0) {
    contentBytes = sizeFlag === 1 ? (source[at] | (source[at + 1] << 8)) + 256 : sizeBytes === 1 ? source[at] : uint32(source, at) + (sizeBytes === 8 ? uint32(source, at + 4) * 2 ** 32 : 0);
    at += sizeBytes;
    output.reserve(contentBytes);
  }
  const state: FrameState = { start: output.length, maxBlock: Math.min(MAX_BLOCK, window ?? contentBytes!), huffman: undefined, tables: [], recent: [1, 4, 8] };

  for (let last = false; !last; ) {
    need(3);
    const header = source[at] | (source[at + 1] << 8) | (source[at + 2] << 16), type = (header >> 1) & 3, size = header >> 3;
    last = (header & 1) === 1;
    at += 3;
    const stored = type === 1 ? 1 : size;
    if (type === 3 || size > state.maxBlock) throw corrupt('an impossible block');
    need(stored);
    if (type === 2) readBlock(source, at, at + size, state, output);
    else {
      output.reserve(size);
      if (type === 1) output.bytes.fill(source[at], output.length, output.length + size);
      else output.bytes.set(source.subarray(at, at + size), output.length);
      output.length += size;
    }
    at += stored;
  }
  if (contentBytes !== undefined && output.length - state.start !== contentBytes) throw corrupt(`a frame of ${output.length - state.start} bytes that says it has ${contentBytes}`);
  if (descriptor & 4) {
    need(4);
    if (xxHash64Low(output.bytes.subarray(state.start, output.length)) !== uint32(source, at)) throw new DecodeError('BAD_CHECKSUM', 'zstd: the content does not match its checksum');
    at += 4;
  }
  return at;
}

/** A compressed block: literals, then the sequences that weave them with earlier output. */
function readBlock(source: Uint8Array, at: number, end: number, state: FrameState, output: Output): void {
  const { literals, end: behind } = readLiterals(source, at, end, state);
  at = behind;
  if (at >= end) throw corrupt('a block without sequences header');
  let count = source[at++];
  if (count >= 128) count = count < 255 ? ((count - 128) << 8) | source[at++] : (source[at++] | (source[at++] << 8)) + 0x7f00;
  if (count === 0) {
    if (at !== end) throw corrupt('a block with bytes left over');
    output.reserve(literals.length);
    output.bytes.set(literals, output.length);
    output.length += literals.length;
    return;
  }
  const modes = source[at++];
  if (modes & 3 || at > end) throw corrupt('a broken sequences header');
  for (let kind = 0; kind < 3; kind++) {
    const mode = (modes >> (6 - 2 * kind)) & 3, { maxLog, maxSymbol } = KINDS[kind];
    if (mode === 0) state.tables[kind] = PREDEFINED[kind];
    else if (mode === 1) {
      if (at >= end || source[at] > maxSymbol) throw corrupt('an impossible code');
      state.tables[kind] = rleTable(source[at++]);
    } else if (mode === 2) ({ table: state.tables[kind], end: at } = readFseTable(source, at, end, maxLog, maxSymbol));
    else if (!state.tables[kind]) throw corrupt('a table repeated before there was one');
  }
  runSequences(new BackwardBits(source, at, end), count, literals, state, output);
}

function readLiterals(source: Uint8Array, at: number, end: number, state: FrameState): { literals: Uint8Array; end: number } {
  if (at >= end) throw corrupt('an empty block');
  const first = source[at], type = first & 3, format = (first >> 2) & 3, word = uint32(source, at);
  const small = type < 2; // raw or one byte repeated
  const headerBytes = small ? [1, 2, 1, 3][format] : [3, 3, 4, 5][format];
  const size = small ? [first >> 3, (word & 0xffff) >> 4, first >> 3, (word & 0xffffff) >> 4][format] : (word >>> 4) & [0x3ff, 0x3ff, 0x3fff, 0x3ffff][format];
  const stored = type === 0 ? size : type === 1 ? 1 : [(word >>> 14) & 0x3ff, (word >>> 14) & 0x3ff, word >>> 18, (word >>> 22) | (source[at + 4] << 10)][format];
  at += headerBytes;
  if (size > state.maxBlock || stored > end - at) throw corrupt('literals run over their block');
  if (type === 0) return { literals: source.subarray(at, at + size), end: at + size };
  const literals = new Uint8Array(size);
  if (type === 1) return { literals: literals.fill(source[at]), end: at + 1 };
  const stop = at + stored;
  if (type === 2) ({ table: state.huffman, end: at } = readHuffmanTable(source, at, stop));
  const table = state.huffman;
  if (!table) throw corrupt('a Huffman table repeated before there was one');
  if (format === 0) readHuffman(table, source, at, stop, literals, 0, size);
  else {
    const part = (size + 3) >> 2;
    if (stop - at < 6 || size < 3 * part) throw corrupt('no room for four Huffman streams');
    let from = at + 6;
    for (let k = 0; k < 4; k++) {
      const to = k < 3 ? from + (source[at + 2 * k] | (source[at + 2 * k + 1] << 8)) : stop;
      if (to > stop) throw corrupt('a Huffman stream runs over its section');
      readHuffman(table, source, from, to, literals, k * part, k < 3 ? (k + 1) * part : size);
      from = to;
    }
  }
  return { literals, end: stop };
}

/** RFC 8878, 3.1.1.4: copies literals, then a match, as often as there are sequences; the rest of the literals follows. */
function runSequences(bits: BackwardBits, count: number, literals: Uint8Array, state: FrameState, output: Output): void {
  const [literalTable, offsetTable, matchTable] = state.tables as [FseTable, FseTable, FseTable];
  output.reserve(literals.length);
  const limit = output.length + state.maxBlock;
  let literalState = bits.read(literalTable.log), offsetState = bits.read(offsetTable.log), matchState = bits.read(matchTable.log);
  let literal = 0;
  const { recent } = state;
  for (let k = 0; k < count; k++) {
    const offsetCode = offsetTable.symbols[offsetState], matchCode = matchTable.symbols[matchState], literalCode = literalTable.symbols[literalState];
    // Codes above 24 are offsets beyond 16 MB: read in two parts.
    const offsetValue = offsetCode <= 24 ? (1 << offsetCode) + bits.read(offsetCode) : 2 ** offsetCode + bits.read(offsetCode - 16) * 65_536 + bits.read(16);
    const matchLength = MATCH_BASE[matchCode] + bits.read(MATCH_BITS[matchCode]);
    const literalLength = LITERAL_BASE[literalCode] + bits.read(LITERAL_BITS[literalCode]);
    if (k < count - 1) {
      literalState = literalTable.next[literalState] + bits.read(literalTable.bits[literalState]);
      matchState = matchTable.next[matchState] + bits.read(matchTable.bits[matchState]);
      offsetState = offsetTable.next[offsetState] + bits.read(offsetTable.bits[offsetState]);
    }
    if (bits.left < 0) throw corrupt('a sequence stream ends early');

    const offset = nextOffset(recent, offsetValue, literalLength);
    const length = literalLength + matchLength;
    if (literalLength > literals.length - literal || length > limit - output.length) throw corrupt('a sequence runs over its block');
    output.reserve(length);
    const out = output.bytes;
    let to = output.length;
    for (const stop = literal + literalLength; literal < stop; ) out[to++] = literals[literal++];
    const from = to - offset;
    if (offset < 1 || from < state.start) throw corrupt('a match begins before its frame');
    // An overlapping match repeats what it has just written: byte by byte, or as far as it does not overlap.
    if (matchLength > 32 && offset >= matchLength) out.copyWithin(to, from, from + matchLength);
    else for (let m = 0; m < matchLength; m++) out[to + m] = out[from + m];
    output.length = to + matchLength;
  }
  if (bits.left !== 0) throw corrupt('a sequence stream is not used up');
  const rest = literals.length - literal;
  if (rest > limit - output.length) throw corrupt('literals run over their block');
  output.reserve(rest);
  output.bytes.set(literals.subarray(literal), output.length);
  output.length += rest;
}

/** RFC 8878, 3.1.1.5: small values name one of the three last offsets. */
function nextOffset(recent: [number, number, number], value: number, literalLength: number): number {
  if (value > 3) {
    recent[2] = recent[1];
    recent[1] = recent[0];
    return (recent[0] = value - 3);
  }
  const index = literalLength === 0 ? value : value - 1;
  if (index === 0) return recent[0];
  const offset = index === 3 ? recent[0] - 1 : recent[index];
  if (index > 1) recent[2] = recent[1];
  recent[1] = recent[0];
  return (recent[0] = offset);
}
