import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { parseAddress } from '../address.ts';
import type { Command } from '../command.ts';
import { CommandError, EXIT, UsageError } from '../exit-codes.ts';
import { OJS_OPTIONS, ojsSettings } from '../listen/ojs-options.ts';
import { printArrival, printArrivalJson } from '../listen/print.ts';
import { runBackend } from '../listen/run-backend.ts';
import { openTarget } from '../listen/target.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';

/** Where the examples send jobs, and where they send events. */
const DEFAULT_ADDRESSES = ['127.0.0.1:8585', '127.0.0.1:9900'];

/** `signalbox listen` */
export const listen: Command = {
  usage: [
    'listen [--address ADDR]… [--fail N] [-o json]',
    'listen --ojs [--address ADDR]… [--have LIST] [options]',
  ],
  about: [
    'Prints what arrives, to try a trigger out before its real target is there.',
    'POST /ojs/v1/jobs answers as a job backend does (201 and the job); any other path is a CloudEvents sink',
    '(202, empty). A request that a real one would refuse is refused here too. Nothing is kept.',
    'With --ojs the first address is a whole job backend: it keeps its jobs in memory, works at them, and tells their',
    'events in the ways that real ones do, defects included. The other addresses stay sinks.',
  ].join('\n'),
  options: [
    {
      name: 'address',
      value: 'ADDR',
      multiple: true,
      help: `host:port to listen on; may be given again.\nDefault: ${DEFAULT_ADDRESSES.join(' and ')}, where the examples send.`,
    },
    {
      name: 'fail',
      value: 'N',
      help: 'Answer 503 to the first N requests, to watch deliveries being retried.',
    },
    ...OJS_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: [
    'signalbox listen',
    'signalbox listen --address 127.0.0.1:7000 --fail 3',
    'signalbox listen -o json | jq .job.args',
    'signalbox listen --ojs --have events,list --nack 4',
  ],
  exits: {
    [EXIT.ok]: 'stopped by Ctrl-C or SIGTERM',
    [EXIT.failed]: 'an address cannot be used',
    [EXIT.usage]: 'called wrongly',
  },
  async run(parsed, terminal) {
    const print = outputFormat(parsed) === 'json' ? printArrivalJson : printArrival;
    const fail = count(parsed.text('fail') ?? '0', '--fail');
    const given = parsed.list('address');
    const addresses = (given.length > 0 ? given : DEFAULT_ADDRESSES).map((text) =>
      parseAddress(text, '--address'),
    );
    const ojs = parsed.flag('ojs') ? ojsSettings(parsed, count) : undefined;
    const parts = { now: () => new Date(), id: randomUUID };
    const opened: { close(graceMs: number): Promise<void> }[] = [];
    try {
      const [first, ...others] = addresses;
      if (ojs !== undefined && first !== undefined) {
        const json = outputFormat(parsed) === 'json';
        const backend = await runBackend({
          address: first,
          settings: ojs,
          ...parts,
          told: terminal.out,
          json,
        });
        opened.push(backend);
        terminal.err(`Listening on ${backend.url} as a job backend (/ojs/v1/).`);
      }
      for (const address of ojs === undefined ? addresses : others) {
        const arrived = (arrival: Parameters<typeof print>[0]): void => terminal.out(print(arrival));
        const target = await openTarget({ address, fail, arrived, ...parts });
        opened.push(target);
        terminal.err(`Listening on ${target.url} for jobs (POST /ojs/v1/jobs) and events (any other path).`);
      }
      if (!terminal.stop.aborted) await once(terminal.stop, 'abort');
      return EXIT.ok;
    } catch (error) {
      throw error instanceof Error ? new CommandError(error.message, EXIT.failed, error) : error;
    } finally {
      await Promise.all(opened.map((one) => one.close(500)));
    }
  },
};

function count(text: string, option: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} ${text} is no count; write a whole number.`);
  return Number(text);
}
