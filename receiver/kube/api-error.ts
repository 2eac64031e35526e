/** What the API server answered instead of what was asked for. */
export class ApiError extends Error {
  readonly status: number;
  /** The Status object's reason (`NotFound`, `Conflict`, `Expired`, …); '' where it gave none. */
  readonly reason: string;
  /** How long the API server asks to wait before it is asked again; 0 where it did not say. */
  readonly retryAfterMs: number;

  constructor(status: number, reason: string, message: string, retryAfterMs: number = 0) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }

  /** From an answer's status, body and `Retry-After` (in seconds). The message names the request, never its content. */
  static from(
    status: number,
    body: string,
    request: { readonly method?: string; readonly path: string },
    retryAfter: string = '',
  ): ApiError {
    const { reason, message } = readStatus(body);
    const said = message === '' ? '' : `: ${message}`;
    return new ApiError(
      status,
      reason,
      `${request.method ?? 'GET'} ${request.path} answered ${status}${said}`,
      /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : 0,
    );
  }
}

/** Whether an error is the API server's answer with one of these statuses. */
export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}

function readStatus(body: string): { readonly reason: string; readonly message: string } {
  try {
    const { reason, message } = JSON.parse(body) as { reason?: unknown; message?: unknown };
    return {
      reason: typeof reason === 'string' ? reason : '',
      message: typeof message === 'string' ? message : '',
    };
  } catch {
    return { reason: '', message: body.slice(0, 200) };
  }
}
