import { durationOption } from '../duration-option.ts';
import { UsageError } from '../exit-codes.ts';
import type { Option, Parsed } from '../options.ts';
import { FEATURES, type Features, featuresOf, USUAL } from './backend/features.ts';

/** What `signalbox listen --ojs` was told about its backend. */
export interface OjsSettings {
  readonly features: Features;
  readonly cutMs: number;
  readonly dropEvery: number;
  readonly workMs: number;
  readonly failEvery: number;
  readonly paused: readonly string[];
  readonly token: string | undefined;
  readonly webhook: { readonly url: string; readonly secret: string } | undefined;
}

const DEFAULTS = { cut: '30s', work: '200ms' };

/** The options of the backend. */
export const OJS_OPTIONS: readonly Option[] = [
  {
    name: 'ojs',
    help: 'The first address is a whole job backend: it works at the jobs it gets, and tells their events.',
  },
  {
    name: 'have',
    value: 'LIST',
    help: `What the backend has, of ${FEATURES.join(', ')}.\nDefault: ${USUAL.join(',')}, as most real ones. "none" has nothing.`,
  },
  { name: 'cut', value: 'TIME', help: `Cut streams after so long; 0 never. Default: ${DEFAULTS.cut}` },
  { name: 'drop', value: 'N', help: 'Drop every Nth live message, as a full buffer does.' },
  { name: 'work', value: 'TIME', help: `How long a job takes; 0: nobody works. Default: ${DEFAULTS.work}` },
  { name: 'nack', value: 'N', help: 'Every Nth job fails, and is tried again up to three times.' },
  {
    name: 'pause',
    value: 'QUEUE',
    multiple: true,
    help: 'A queue that is paused: jobs for it are refused with 409.',
  },
  { name: 'token', value: 'TOKEN', help: 'Wanted as a bearer token. Default: none is wanted.' },
  {
    name: 'webhook',
    value: 'URL',
    help: 'Call this address with each event, signed; needs --webhook-secret.',
  },
  { name: 'webhook-secret', value: 'KEY', help: 'The key of X-OJS-Signature.' },
];

/** Reads them. Throws UsageError. */
export function ojsSettings(parsed: Parsed, count: (text: string, option: string) => number): OjsSettings {
  const number = (name: string): number => count(parsed.text(name) ?? '0', `--${name}`);
  return {
    features: featuresOf(named(parsed.text('have'))),
    cutMs: durationOption(parsed.text('cut') ?? DEFAULTS.cut, '--cut'),
    dropEvery: number('drop'),
    workMs: durationOption(parsed.text('work') ?? DEFAULTS.work, '--work'),
    failEvery: number('nack'),
    paused: parsed.list('pause'),
    token: parsed.text('token'),
    webhook: webhookOf(parsed),
  };
}

function named(list: string | undefined): readonly (keyof Features)[] {
  if (list === undefined) return USUAL;
  if (list === 'none') return [];
  return list.split(',').map((text) => {
    const name = FEATURES.find((one) => one === text.trim());
    if (name !== undefined) return name;
    throw new UsageError(
      `--have ${text} is nothing that a backend has; write any of ${FEATURES.join(', ')}.`,
    );
  });
}

function webhookOf(parsed: Parsed): OjsSettings['webhook'] {
  const url = parsed.text('webhook');
  const secret = parsed.text('webhook-secret');
  if (url === undefined) return undefined;
  if (secret === undefined)
    throw new UsageError('--webhook needs --webhook-secret, the key that signs the calls.');
  if (!URL.canParse(url)) throw new UsageError(`--webhook ${url} is no address; write it in full.`);
  return { url, secret };
}
