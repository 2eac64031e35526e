import { buffer } from 'node:stream/consumers';
import type { RequestError } from '../../receiver/errors.ts';
import { previewEvent } from '../../receiver/preview.ts';
import type { Terminal } from '../command.ts';
import { EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import { headerOf } from '../header-option.ts';
import type { Parsed } from '../options.ts';
import { outputFormat } from '../output.ts';
import { parseResolve } from '../run/resolve.ts';
import { fileBytes } from '../send/text-source.ts';
import { readEvents } from './event-input.ts';
import { plannedTable } from './planned-table.ts';
import { previewJson, tellPreview } from './tell-preview.ts';

/** `signalbox explain -f MANIFESTS EVENT`: what would become of an event, before anything is deployed. */
export async function explainOffline(parsed: Parsed, terminal: Terminal): Promise<ExitCode> {
  const format = outputFormat(parsed);
  const [file, ...more] = parsed.positionals;
  if (file === undefined || more.length > 0)
    throw new UsageError('explain -f needs one event; give its file, or - for standard input.');
  const table = await plannedTable(parsed.list('file'), parseResolve(parsed.list('resolve')));
  for (const problem of table.problems) terminal.err(problem);
  const now = Date.now();
  const input = {
    entrance: parsed.text('entrance'),
    headers: Object.fromEntries(parsed.list('header').map(headerOf)),
    body: file === '-' ? await buffer(process.stdin) : await fileBytes(file),
  };
  const { entrance, events, refusals } = readEvents(table, input, now);
  for (const refusal of refusals) terminal.err(tellRefusal(refusal));
  const explained = events.map((event) => ({
    event,
    previews: previewEvent(table.runtime, event, { entrance, now }),
  }));
  if (format === 'json')
    terminal.out(JSON.stringify(explained.map(({ event, previews }) => previewJson(event, previews))));
  else
    terminal.out(
      explained.map(({ event, previews }) => tellPreview(event, previews, table.idleTriggers)).join('\n\n') ||
        'No event.',
    );
  return refusals.length > 0 ? EXIT.failed : EXIT.ok;
}

function tellRefusal({ status, message }: RequestError): string {
  return `It would be refused with ${status}: ${message}`;
}
