import { type Compiled, compiled, type Finding } from '../errors.ts';
import type { HmacRecipe } from '../routing/table.ts';
import { compileContent, type HeaderName, headerName, type SignedContent } from './content.ts';
import { DIGEST_ENCODINGS, type DigestEncoding } from './encoding.ts';
import type { Family } from './family.ts';
import type { HeaderShape } from './signature-header.ts';
import type { TimestampUnit } from './timestamp.ts';

/** A recipe as the table has it; a preset's own may bring what is signed as code, where no template can tell it. */
export interface Recipe extends HmacRecipe {
  readonly content?: SignedContent;
  /** Whose header names it has, where there are several. */
  readonly family?: Family;
}

/** Where a text that is signed comes from. */
export interface TextSource {
  /** Its own header; `undefined`: it is a field of the signature header. */
  readonly header: HeaderName | undefined;
  /** `header X-Timestamp` or `field "t" of header X-Signature`, for people. */
  readonly shown: string;
}

/** A recipe with its defaults, checked: what verifying and signing both work from. */
export interface RecipePlan {
  readonly header: HeaderName;
  readonly shape: HeaderShape;
  readonly timestamp: TextSource | undefined;
  readonly id: TextSource | undefined;
  readonly unit: TimestampUnit;
  readonly toleranceMs: number;
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  readonly encoding: DigestEncoding;
  readonly content: SignedContent;
  /** Public address without a trailing slash, for `{url}`. */
  readonly publicUrl: string;
}

const DEFAULTS = {
  unit: 'Seconds',
  // Five minutes, as most providers have it.
  toleranceMs: 300_000,
  algorithm: 'SHA256',
  encoding: 'Hex',
  signedContent: '{body}',
} as const;

function headerShape(recipe: HmacRecipe): HeaderShape {
  const { fields, prefix = '' } = recipe;
  // Without fields the header is one signature, unless the recipe names what separates several.
  if (fields === undefined) return { prefix, separator: recipe.separator ?? '', fields: undefined };
  const { signature = '', timestamp, id } = fields;
  return { prefix, separator: recipe.separator ?? ',', fields: { signature, timestamp, id } };
}

/** A field of the signature header comes before a header of its own. */
function textSource(
  recipe: HmacRecipe,
  field: string | undefined,
  own: { readonly header: string } | undefined,
): TextSource | undefined {
  if (field !== undefined) return { header: undefined, shown: `field "${field}" of header ${recipe.header}` };
  return own === undefined ? undefined : { header: headerName(own.header), shown: `header ${own.header}` };
}

function shapeFindings(shape: HeaderShape, path: string): Finding[] {
  const findings: Finding[] = [];
  if (shape.fields?.signature === '') {
    const message = 'is missing; name the field that holds the signature';
    findings.push({ field: `${path}.fields.signature`, message });
  }
  if (shape.fields !== undefined && shape.separator === '') {
    const message = 'is empty, but fields need one between them; set "," or leave it out';
    findings.push({ field: `${path}.separator`, message });
  }
  if (shape.separator !== '' && shape.prefix.includes(shape.separator)) {
    const message = 'is part of the prefix too; set the text that stands between two signatures';
    findings.push({ field: `${path}.separator`, message });
  }
  return findings;
}

/** What the signed content and the places that its parts come from must have in common. */
function contentFindings(
  plan: Omit<RecipePlan, 'publicUrl'>,
  publicUrl: string | undefined,
  field: string,
): Finding[] {
  const { content, timestamp, id } = plan;
  const faults: string[] = [];
  if (content.usesTimestamp && timestamp === undefined) {
    faults.push(
      'uses {timestamp}, but nothing says where it comes from; set timestamp.header or fields.timestamp',
    );
  }
  if (!content.usesTimestamp && timestamp !== undefined) {
    faults.push(
      'leaves the timestamp unsigned, so that anyone can change it; add {timestamp}, or set no timestamp',
    );
  }
  if (content.usesId && id === undefined) {
    faults.push('uses {id}, but nothing says where it comes from; set id.header or fields.id');
  }
  if (content.usesUrl && publicUrl === undefined) {
    faults.push('uses {url}, the address that the sender calls; set spec.publicUrl, or --public-url');
  }
  return faults.map((message) => ({ field, message }));
}

/**
 * Checks a recipe and applies its defaults. `path` is the recipe's own (`spec.hmac`).
 * `publicUrl` is what the sender calls, needed where `{url}` is signed.
 */
export function planRecipe(recipe: Recipe, path: string, publicUrl?: string): Compiled<RecipePlan> {
  const content =
    recipe.content === undefined
      ? compileContent(recipe.signedContent ?? DEFAULTS.signedContent, `${path}.signedContent`)
      : compiled(recipe.content);
  const shape = headerShape(recipe);
  const findings = shapeFindings(shape, path);
  if (!content.ok) return { ok: false, findings: [...findings, ...content.findings] };
  const plan = {
    header: headerName(recipe.header),
    shape,
    timestamp: textSource(recipe, shape.fields?.timestamp, recipe.timestamp),
    id: textSource(recipe, shape.fields?.id, recipe.id),
    unit: recipe.timestamp?.unit ?? DEFAULTS.unit,
    toleranceMs: recipe.toleranceMs ?? DEFAULTS.toleranceMs,
    algorithm: recipe.algorithm ?? DEFAULTS.algorithm,
    encoding: DIGEST_ENCODINGS[recipe.encoding ?? DEFAULTS.encoding],
    content: content.value,
  };
  findings.push(...contentFindings(plan, publicUrl, `${path}.signedContent`));
  if (findings.length > 0) return { ok: false, findings };
  return compiled({ ...plan, publicUrl: (publicUrl ?? '').replace(/\/$/, '') });
}
