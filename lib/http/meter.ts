/** Counts of what requests cost. The client adds to the numbers of the caller. */
export interface HttpMeter {
  /** Attempts, including retries and redirects. */
  requests: number;
  /** Body bytes received, including those of failed attempts. */
  bytes: number;
}
