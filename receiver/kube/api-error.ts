/** What the API server answered instead of what was asked for. */
export class ApiError extends Error {
  readonly status: number;
  /** The Status object's reason (`NotFound`, `Conflict`, `Expired`, …); '' where it gave none. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
  }

  /** From an answer's status and body. The message names the request, never its content. */
  static from(
    status: number,
    body: string,
    request: { readonly method?: string; readonly path: string },
  ): ApiError {
    const { reason, message } = readStatus(body);
    const said = message === '' ? '' : `: ${message}`;
    return new ApiError(
      status,
      reason,
      `${request.method ?? 'GET'} ${request.path} answered ${status}${said}`,
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
