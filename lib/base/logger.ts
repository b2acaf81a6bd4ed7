/** Where the SDK writes its warnings: the `logger` option of a volume. `console` is a Logger. */
export interface Logger {
  /** Writes one warning. The message holds no secret. */
  warn(message: string): void;
}
