/**
 * The image data of a scan without the zero that follows each byte of 255, copied piece by piece.
 * Source: ITU-T Recommendation T.81, B.1.1.5.
 */

/** A unit takes less: three blocks of 64 codes of up to 16 bits, with values of up to 15. */
const UNIT_BYTES = 768;
const PIECE_BYTES = 2 ** 13;

/** The data up to the next marker, and what is read of it. */
export class ScanBytes {
  /** The copy; after its end, there is room for a unit. */
  readonly view: DataView;
  /** The next bit. */
  position = 0;
  /** A unit, which has a block of each component, can be read if it starts before this bit. */
  safeEnd = 0;
  readonly #bytes: Uint8Array;
  readonly #copy: Uint8Array;
  #length = 0;
  /** The next byte to copy, or the marker. */
  #from: number;
  #isAtMarker = false;

  /** @param from Where the data starts in `bytes`. */
  constructor(bytes: Uint8Array, from: number) {
    // A plain view: those of Node's Buffer have slower methods.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#from = from;
    this.#copy = new Uint8Array(bytes.length - from + UNIT_BYTES);
    this.view = new DataView(this.#copy.buffer);
  }

  /** Copies the next piece. */
  copyOn(): void {
    const bytes = this.#bytes,
      wanted = (this.position >>> 3) + UNIT_BYTES + PIECE_BYTES;
    while (!this.#isAtMarker && this.#length < wanted) {
      const found = bytes.indexOf(0xff, this.#from),
        end = found < 0 ? bytes.length : found;
      this.#copy.set(bytes.subarray(this.#from, end), this.#length);
      this.#length += end - this.#from;
      this.#from = end;
      if (bytes[end + 1] === 0) {
        this.#copy[this.#length++] = 0xff;
        this.#from += 2;
      } else this.#isAtMarker = true;
    }
    this.safeEnd = 8 * (this.#isAtMarker ? this.#length : this.#length - UNIT_BYTES);
  }

  /** Tells whether more was read than there is. */
  get isOverrun(): boolean {
    return this.position > 8 * this.#length;
  }

  /** Goes on behind a marker. @returns Whether it follows at once. */
  passMarker(code: number): boolean {
    this.copyOn();
    const isThere =
      this.#isAtMarker &&
      8 * this.#length - this.position < 8 &&
      this.#bytes[this.#from] === 0xff &&
      this.#bytes[this.#from + 1] === code;
    this.#from += 2;
    this.#length = this.position = this.safeEnd = 0;
    this.#isAtMarker = false;
    return isThere;
  }
}
