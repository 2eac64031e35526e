import express, { type Express } from 'express';
import type { Registry } from 'prom-client';

/** The operator's own listener: health and metrics, nothing secret. */
export function operatorAdmin(parts: {
  /** Why the operator is not ready, or undefined. */
  readonly notReady: () => string | undefined;
  readonly registry: Registry;
}): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request, response) => void response.type('text').send('ok\n'));
  app.get('/readyz', (_request, response) => {
    const reason = parts.notReady();
    response
      .status(reason === undefined ? 200 : 503)
      .type('text')
      .send(`${reason ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(parts.registry.contentType).send(await parts.registry.metrics());
  });
  return app;
}
