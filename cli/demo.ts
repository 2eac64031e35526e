import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createLog } from '../receiver/observe/log.ts';
import { demoError } from './demo-error.ts';
import { CommandError } from './exit-codes.ts';
import { freeAddress } from './free-address.ts';
import { printArrival } from './listen/print.ts';
import { openTarget } from './listen/target.ts';
import { LOCAL_EGRESS } from './run/rules.ts';
import { runManifests } from './run/run-manifests.ts';
import { processTerminal } from './terminal.ts';

/*
 * `npm start`: what `signalbox run -f examples/quickstart.yaml` and `signalbox listen` do, in one process, so that a
 * newcomer needs one more terminal and one command to see an event become a job.
 */

const DATA = '.signalbox';
const HOST = '127.0.0.1';
const PUBLIC_PORT = 8080;

const terminal = processTerminal();

try {
  const target = await openTarget({
    address: { host: HOST, port: 8585 },
    fail: 0,
    arrived: (arrival) => terminal.out(printArrival(arrival)),
    now: () => new Date(),
    id: randomUUID,
  });
  const running = await runManifests(
    {
      paths: ['examples/quickstart.yaml'],
      dataDirectory: DATA,
      public: await freeAddress({ host: HOST, port: PUBLIC_PORT }),
      cluster: await freeAddress({ host: HOST, port: 8081 }),
      admin: await freeAddress({ host: HOST, port: 9090 }),
      publicUrl: undefined,
      resolve: new Map(),
      adminToken: undefined,
      egress: LOCAL_EGRESS,
      log: createLog('warn', process.stderr),
    },
    terminal,
  );
  const elsewhere =
    running.publicUrl === `http://${HOST}:${PUBLIC_PORT}` ? '' : ` -- --url ${running.publicUrl}`;
  terminal.out(
    `\nThe job backend of this demo listens on ${target.url}. Send an event from another terminal:\n`,
  );
  terminal.out(`  npm run send${elsewhere}\n`);
  if (!terminal.stop.aborted) await once(terminal.stop, 'abort');
  await running.close();
  await target.close(500);
} catch (error) {
  const told = demoError(error);
  if (!(told instanceof CommandError)) throw told;
  terminal.err(told.message);
  process.exitCode = told.exitCode;
  process.exit();
}
