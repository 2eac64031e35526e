/** Context attributes by name, every one as the string it came as; a null-prototype object. */
export type Attributes = Readonly<Record<string, string>>;

/**
 * One CloudEvent (CloudEvents 1.0.2), held so that it can leave as it came:
 * attributes are the strings that arrived (HTTP percent-decoding applied), `body` is the data's own bytes.
 *
 * `body` by content mode on the way in
 * - binary: the request's body, untouched; `undefined` where it was empty and no `datacontenttype` was given
 * - structured `data`, JSON media type (or none): the exact slice of the envelope that is the JSON value
 * - structured `data` that is a string under another media type: that string's UTF-8 bytes
 * - structured `data_base64`: the decoded bytes
 */
export class CloudEvent {
  /** All attributes, `specversion`, `id`, `source` and `type` among them. */
  readonly attributes: Attributes;
  readonly body: Buffer | undefined;
  /** What expressions of a value stream's step see as `context`; undefined outside steps. */
  readonly context: unknown;
  #data: unknown;
  #viewed = false;
  readonly #view: (event: CloudEvent) => unknown;

  /** `view` makes `data` from `body` when it is first asked for (event/data-view.ts). */
  constructor(
    attributes: Attributes,
    body: Buffer | undefined,
    view: (event: CloudEvent) => unknown,
    context?: unknown,
  ) {
    this.attributes = attributes;
    this.body = body;
    this.context = context;
    this.#view = view;
  }

  get id(): string {
    return this.attributes['id'] ?? '';
  }
  get source(): string {
    return this.attributes['source'] ?? '';
  }
  get type(): string {
    return this.attributes['type'] ?? '';
  }

  /** What expressions see as `data`: parsed JSON, a decoded form, or `null`. Parsed once, when first asked for. */
  get data(): unknown {
    if (!this.#viewed) {
      this.#data = this.#view(this);
      this.#viewed = true;
    }
    return this.#data;
  }
}
