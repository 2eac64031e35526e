/**
 * One thing wrong with a manifest, as its author needs to read it.
 * `field` is the path below the resource (`spec.filters[0].exact`), `message` says what is wrong and the remedy.
 */
export interface Finding {
  readonly field: string;
  readonly message: string;
}
