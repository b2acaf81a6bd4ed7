/** What a request cost; its owner adds it up. */
export interface HttpMeter {
  /** Attempts, repeats and redirects included. */
  requests: number;
  /** Body bytes received, also those of attempts that failed. */
  bytes: number;
}
