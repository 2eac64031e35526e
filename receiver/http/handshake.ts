import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * The validation handshake of "HTTP 1.1 Web Hooks for Event Delivery", section 4: an OPTIONS request needs no proof, and
 * is answered with the origin that asked, so that a sender that asks first may send.
 */
export function handshake(request: IncomingMessage, response: ServerResponse): void {
  const origin = request.headers['webhook-request-origin'];
  response.writeHead(200, {
    allow: 'POST, OPTIONS',
    'webhook-allowed-origin': typeof origin === 'string' && origin !== '' ? origin : '*',
    'webhook-allowed-rate': '*',
    'content-length': 0,
  });
  response.end();
}
