import type { Connection } from './connection.ts';

/** The run's API server with our CRDs, or why there is none. */
export type Provided =
  | { readonly server: Connection; readonly missing?: undefined }
  | { readonly server?: undefined; readonly missing: string };

declare module 'vitest' {
  interface ProvidedContext {
    apiServer: Provided;
  }
}
