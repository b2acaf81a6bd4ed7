/** Numbers as a report shows them. */

/** 1,234,567; fractions are rounded. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Three significant digits: 1,230; 12.3; 0.0123. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = 2 - Math.floor(Math.log10(Math.abs(value)));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(20, Math.max(0, digits)) });
}

/** A rate: whole from 100, else three digits. */
export const rate = (value: number): string => (value >= 100 ? whole(value) : short(value));

const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes with a decimal unit: 12.3 MB. */
export function byteText(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? whole(value) : value.toFixed(value < 99.95 ? 1 : 0)} ${BYTE_UNITS[power]}`;
}

/** A duration: 12.3 ms, 1.23 s, 4 min 05 s, 3 h 02 min. */
export function duration(ms: number): string {
  if (ms < 1000) return `${short(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${short(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  return `${whole(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** A part as a percentage; never 0 % or 100 % by rounding. */
export function percent(part: number, all: number): string {
  if (all === 0 || part === 0) return '0\u202f%';
  const value = (100 * part) / all;
  if (part === all) return '100\u202f%';
  if (value < 0.01) return '<\u202f0.01\u202f%';
  if (value > 99.99) return '>\u202f99.99\u202f%';
  return `${value < 10 || value > 99 ? value.toFixed(2) : value.toFixed(1)}\u202f%`;
}

/** 2024-06-05 10:10:01 UTC. */
export const moment = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
