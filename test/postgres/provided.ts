/** URL of the run's PostgreSQL, or why there is none. */
export type ProvidedPostgres =
  | { readonly url: string; readonly binaries: string | undefined; readonly missing?: undefined }
  | { readonly url?: undefined; readonly missing: string };

declare module 'vitest' {
  interface ProvidedContext {
    postgres: ProvidedPostgres;
  }
}
