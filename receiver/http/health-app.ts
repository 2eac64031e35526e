import express, { type Express } from 'express';
import type { Registry } from 'prom-client';

/** What a process tells of itself to whoever looks after it. */
export interface HealthParts {
  /** Why it is not ready, or undefined. */
  readonly notReady: () => string | undefined;
  readonly registry: Registry;
}

/** An Express application with `/healthz`, `/readyz` and `/metrics`, open to all. */
export function healthApp({ notReady, registry }: HealthParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request, response) => void response.type('text').send('ok\n'));
  app.get('/readyz', (_request, response) => {
    const reason = notReady();
    response
      .status(reason === undefined ? 200 : 503)
      .type('text')
      .send(`${reason ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  return app;
}
