/**
 * The colours of a brightness and two differences of colour, rounded as libjpeg does.
 *
 * Source: JPEG File Interchange Format 1.02, "Conversion to and from RGB"; the roundings are those of libjpeg,
 * jdcolor.c. Copyright (C) 1991-1997, Thomas G. Lane; see licenses/libjpeg.txt.
 */

/** Factors have 16 bits after the point. */
const scaled = (factor: number): number => Math.floor(factor * 65536 + 0.5);
const RED = scaled(1.402),
  GREEN_BLUE = scaled(0.34414),
  GREEN_RED = scaled(0.71414),
  BLUE = scaled(1.772),
  HALF = 32768;

const limited = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** Returns a colour, 0 to 255. @param blue @param red The differences, 0 to 255; 128 for none. */
export const redOf = (brightness: number, red: number): number =>
  limited(brightness + ((RED * (red - 128) + HALF) >> 16));
export const greenOf = (brightness: number, blue: number, red: number): number =>
  limited(brightness + ((-GREEN_BLUE * (blue - 128) - GREEN_RED * (red - 128) + HALF) >> 16));
export const blueOf = (brightness: number, blue: number): number =>
  limited(brightness + ((BLUE * (blue - 128) + HALF) >> 16));
