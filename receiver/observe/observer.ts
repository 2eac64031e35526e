/** What the pipeline tells whoever watches: metrics and logs hang here. Must be cheap, and never throws. */
export interface Observer {
  /** An event was accepted, or repeated; `triggers` is how many took it, `ms` from its last byte to the commit. */
  accepted(entrance: string, duplicate: boolean, triggers: number, ms: number): void;
  /** A request was refused. `code` is of a fixed set; `cause` is for the log and holds no secret. */
  rejected(entrance: string, code: string, cause: string): void;
}
