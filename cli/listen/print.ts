import { queueOf } from './ojs.ts';
import type { Arrival } from './target.ts';

const INDENT = ' '.repeat(10);
const CORE = new Set(['specversion', 'id', 'source', 'type']);

/** An arrival for a person: the time, what came, and below it what it carries. */
export function printArrival(arrival: Arrival): string {
  const time = arrival.at.toTimeString().slice(0, 8);
  return `${time}  ${lines(arrival).join(`\n${INDENT}`)}`;
}

/** An arrival as one line of JSON. */
export function printArrivalJson(arrival: Arrival): string {
  const { event, at, ...rest } = arrival;
  const told = event === undefined ? {} : { event: { ...event.attributes, ...dataMember(event.data) } };
  return JSON.stringify({ at: at.toISOString(), ...rest, ...told });
}

function lines(arrival: Arrival): readonly string[] {
  const { job, event, status, path, refusal } = arrival;
  if (job !== undefined) {
    return [
      `job ${job.type}  (queue ${queueOf(job)})`,
      `args  ${JSON.stringify(job.args)}`,
      ...(job.meta === undefined ? [] : [`meta  ${JSON.stringify(job.meta)}`]),
      ...(job.options === undefined ? [] : [`options  ${JSON.stringify(job.options)}`]),
      `answered ${status}, job ${job.id}`,
    ];
  }
  if (event !== undefined) {
    const { attributes, data } = event;
    const more = Object.entries(attributes).filter(([name]) => !CORE.has(name));
    return [
      `event ${attributes['type'] ?? ''}  at ${path}`,
      `id ${attributes['id'] ?? ''}, source ${attributes['source'] ?? ''}`,
      ...more.map(([name, value]) => `${name}  ${value}`),
      ...(data === undefined ? [] : [`data  ${printable(data)}`]),
      `answered ${status}`,
    ];
  }
  return [`refused at ${path}: ${refusal ?? ''}`, `answered ${status}`];
}

/** Text as it is; what is no UTF-8 by its size. */
function printable(data: Buffer): string {
  const text = data.toString();
  return Buffer.from(text).equals(data) ? text : `${data.length} bytes`;
}

function dataMember(data: Buffer | undefined): Readonly<Record<string, unknown>> {
  if (data === undefined) return {};
  try {
    return { data: JSON.parse(data.toString()) as unknown };
  } catch {
    return { data_base64: data.toString('base64') };
  }
}
