import type { Refusal } from '../observe/refusal.ts';

/** What Node's HTTP server answers by itself, before any code of ours sees a request. */
const ANSWERS: Readonly<Record<string, Pick<Refusal, 'status' | 'code' | 'cause'>>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    cause: 'request line and headers are larger than this listener takes',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'chunk_extensions_too_large',
    cause: 'the chunk extensions are larger than this listener takes',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request_too_slow',
    cause: 'the request did not come to its end in time',
  },
};

/** The refusal that a connection's error stands for; undefined where it is none (a sender that went away). Pure. */
export function refusalOf(error: NodeJS.ErrnoException, at: number): Refusal | undefined {
  const code = error.code ?? '';
  const known = Object.hasOwn(ANSWERS, code) ? ANSWERS[code] : undefined;
  if (known !== undefined) return { at, entrance: '', bytes: 0, ...known };
  if (!code.startsWith('HPE_')) return undefined;
  // The parser's own words: they name a rule of HTTP and repeat nothing of what was sent.
  const cause = `it is no HTTP request: ${error.message}`;
  return { at, entrance: '', bytes: 0, status: 400, code: 'malformed_request', cause };
}
