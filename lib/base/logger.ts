export interface Logger {
  warn(message: string): void;
}
