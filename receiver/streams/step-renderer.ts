import { RenderError, type Renderer } from '../deliver/renderer.ts';
import { viewData } from '../event/data-view.ts';
import { CloudEvent } from '../event/event.ts';
import { contextOf } from './context.ts';
import type { Instance } from './instance.ts';

/** Renders what a step sends: the event with the instance's id and its context, or the answer of the step before. */
export function stepRenderer(
  renderer: Renderer,
  instance: Instance | undefined,
  input: 'Answer' | undefined,
): Renderer {
  return {
    render(event, context) {
      if (instance === undefined)
        throw new RenderError('instance', 'it is no longer known: nothing waits for this step');
      if (instance.status === 'Cancelled' || instance.status === 'Failed')
        throw new RenderError(
          'instance',
          `it is ${instance.status.toLowerCase()}: its steps are not sent any more`,
        );
      return renderer.render(stepEvent(event, instance, input), context);
    },
  };
}

function stepEvent(event: CloudEvent, instance: Instance, input: 'Answer' | undefined): CloudEvent {
  const attributes: Record<string, string> = Object.assign(Object.create(null), event.attributes);
  attributes['instanceid'] = instance.id;
  const context = contextOf(instance);
  if (input === undefined) return new CloudEvent(attributes, event.body, () => event.data, context);
  const answer = instance.last === undefined ? undefined : instance.answers[instance.last];
  attributes['datacontenttype'] = 'application/json';
  return new CloudEvent(attributes, Buffer.from(JSON.stringify(answer?.data ?? null)), viewData, context);
}
