import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * The validation handshake of "HTTP 1.1 Web Hooks for Event Delivery", section 4: an OPTIONS request needs no proof, and
 * is answered with the origin that asked and the rate that it may send at, so that a sender that asks first may send.
 */
export function handshake(
  request: IncomingMessage,
  response: ServerResponse,
  rate?: { readonly requests: number; readonly perMs: number },
): void {
  const origin = request.headers['webhook-request-origin'];
  response.writeHead(200, {
    allow: 'POST, OPTIONS',
    'webhook-allowed-origin': typeof origin === 'string' && origin !== '' ? origin : '*',
    // Requests per minute.
    'webhook-allowed-rate': rate === undefined ? '*' : perMinute(rate),
    'content-length': 0,
  });
  response.end();
}

function perMinute({ requests, perMs }: { readonly requests: number; readonly perMs: number }): string {
  return String(Math.max(1, Math.floor((requests * 60_000) / perMs)));
}
