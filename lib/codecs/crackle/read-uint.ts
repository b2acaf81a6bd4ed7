/** Reads unsigned integers whose width is known only from the data. */

/** Returns the bytes of the narrowest of uint8, uint16, uint32 and uint64 that holds `max`. */
export const widthFor = (max: number): number =>
  max < 2 ** 8 ? 1 : max < 2 ** 16 ? 2 : max < 2 ** 32 ? 4 : 8;

/**
 * Reads a little-endian integer; the caller has checked that it is inside the view. Values above 2 ** 53 are
 * rounded, but these are too large for any use.
 */
export function readUint(view: DataView, at: number, width: number): number {
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true);
  const low = view.getUint32(at, true);
  return width === 4 ? low : low + 2 ** 32 * view.getUint32(at + 4, true);
}
