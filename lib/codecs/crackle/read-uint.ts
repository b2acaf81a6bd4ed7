/** Unsigned integers of a width known only from the data. */

/** Bytes of the narrowest of uint8, uint16, uint32 and uint64 that holds `max`. */
export const widthFor = (max: number): number =>
  max < 2 ** 8 ? 1 : max < 2 ** 16 ? 2 : max < 2 ** 32 ? 4 : 8;

/** Little-endian; the caller has checked that `at + width` is inside. Above 2 ** 53 the nearest number: only ever too large for its use. */
export function readUint(view: DataView, at: number, width: number): number {
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true);
  const low = view.getUint32(at, true);
  return width === 4 ? low : low + 2 ** 32 * view.getUint32(at + 4, true);
}
