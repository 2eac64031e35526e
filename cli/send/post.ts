import { CommandError, EXIT } from '../exit-codes.ts';
import type { Answer } from './answer.ts';

const TIMEOUT_MS = 30_000;

const TROUBLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start `signalbox run` first, or say where it listens with --url',
  ENOTFOUND: 'there is no such host; check --url',
  TimeoutError: `no answer within ${TIMEOUT_MS / 1000} s`,
};

/** Sends one request and reads its answer; follows no redirect. Throws CommandError where there is no answer. */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      // A header value is bytes; fetch takes them one character each.
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]),
      ),
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const retryAfter = response.headers.get('retry-after') ?? undefined;
    return { url, status: response.status, retryAfter, text: await response.text() };
  } catch (error) {
    throw new CommandError(`Cannot reach ${url}: ${trouble(error)}.`, EXIT.unreachable, error);
  }
}

function trouble(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const name = error instanceof Error ? error.name : '';
  // What fetch itself refuses has words and no code: a port that browsers do not open, for one.
  const why = code === '' && cause instanceof Error ? cause.message : code;
  return TROUBLE[code] ?? TROUBLE[name] ?? `the connection failed${why === '' ? '' : ` (${why})`}`;
}
