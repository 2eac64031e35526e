import type { Command } from '../command.ts';

/** A subcommand's module is loaded only when it is called: `run` never pays for what another command needs. */
interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
}

/** Every subcommand by name, in the order the help lists them. */
export const COMMANDS: ReadonlyMap<string, CommandEntry> = new Map<string, CommandEntry>([
  [
    'run',
    {
      summary: 'Run everything in one process from manifest files, without a cluster.',
      load: async () => (await import('./run.ts')).run,
    },
  ],
  [
    'send',
    {
      summary: 'Sign an event and send it to an endpoint.',
      load: async () => (await import('./send.ts')).send,
    },
  ],
  [
    'listen',
    {
      summary: 'A small target that prints what arrives.',
      load: async () => (await import('./listen.ts')).listen,
    },
  ],
  [
    'operator',
    {
      summary: 'The control plane of a cluster.',
      load: async () => (await import('./operator.ts')).operator,
    },
  ],
  [
    'receiver',
    {
      summary: 'The data plane of a cluster.',
      load: async () => (await import('./receiver.ts')).receiver,
    },
  ],
  [
    'events',
    {
      summary: 'List the events that a running receiver accepted.',
      load: async () => (await import('./events.ts')).events,
    },
  ],
  [
    'deliveries',
    {
      summary: 'List what a running receiver sends on, and how far it is.',
      load: async () => (await import('./deliveries.ts')).deliveries,
    },
  ],
  [
    'explain',
    {
      summary: 'Tell what became of an event, and why it did or did not fire.',
      load: async () => (await import('./explain.ts')).explain,
    },
  ],
  [
    'test',
    {
      summary: 'Check what manifests make of events, from a file of fixtures.',
      load: async () => (await import('./test.ts')).test,
    },
  ],
  [
    'instances',
    {
      summary: 'List the instances of value streams: what waits, for what, since when.',
      load: async () => (await import('./instances.ts')).instances,
    },
  ],
  [
    'instance',
    {
      summary: 'Tell the history of an instance, or retry, skip or cancel it.',
      load: async () => (await import('./instance.ts')).instance,
    },
  ],
  [
    'dead-letters',
    {
      summary: 'List the deliveries that a running receiver has given up.',
      load: async () => (await import('./dead-letters.ts')).deadLetters,
    },
  ],
  [
    'redrive',
    {
      summary: 'Bring dead letters back: what was given up is tried again.',
      load: async () => (await import('./redrive.ts')).redrive,
    },
  ],
  [
    'journal',
    {
      summary: 'Check, back up or copy a journal, also while a receiver uses it.',
      load: async () => (await import('./journal.ts')).journal,
    },
  ],
]);
