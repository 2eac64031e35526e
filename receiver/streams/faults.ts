import { RequestError } from '../errors.ts';
import type { Fault } from './decide.ts';

const FAULTS: Readonly<
  Record<Fault, { readonly status: number; readonly code: string; readonly message: string }>
> = {
  unknown: {
    status: 404,
    code: 'unknown_instance',
    message: 'There is no instance with the id of ce-instanceid; leave the header out to start one.',
  },
  over: {
    status: 410,
    code: 'instance_over',
    message: 'The instance that ce-instanceid names is over; leave the header out to start another.',
  },
  'another stream': {
    status: 422,
    code: 'foreign_instance',
    message:
      'The instance that ce-instanceid names belongs to a value stream that does not read from this endpoint.',
  },
  'too large': {
    status: 413,
    code: 'context_too_large',
    message:
      'The event does not fit into what an instance remembers (1 MiB); send a reference instead of the data.',
  },
};

/** What a sender is told whose event names an instance that cannot have it. */
export function instanceFault(fault: Fault): RequestError {
  const { status, code, message } = FAULTS[fault];
  return new RequestError(status, code, message);
}
