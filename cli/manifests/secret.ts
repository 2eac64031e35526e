import type { Finding } from '../../receiver/errors.ts';

/** A core/v1 Secret's values as bytes; `stringData` wins over `data`, as on a cluster. Findings never hold a value. */
export interface DecodedSecret {
  readonly data: Readonly<Record<string, Buffer>>;
  readonly findings: readonly Finding[];
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes the `data` and `stringData` of a Secret manifest. */
export function decodeSecret(manifest: Readonly<Record<string, unknown>>): DecodedSecret {
  const data: Record<string, Buffer> = {};
  const findings: Finding[] = [];
  const take = (
    member: 'data' | 'stringData',
    decode: (text: string) => Buffer | undefined,
    remedy: string,
  ): void => {
    const values = manifest[member] ?? {};
    if (typeof values !== 'object' || Array.isArray(values)) {
      findings.push({ field: member, message: 'is not a map: write one key and its value per line' });
      return;
    }
    for (const [key, value] of Object.entries(values as Record<string, unknown>)) {
      const bytes = typeof value === 'string' ? decode(value) : undefined;
      if (bytes === undefined) findings.push({ field: `${member}.${key}`, message: remedy });
      else data[key] = bytes;
    }
  };
  take('data', fromBase64, 'is not a Base64 string: encode the value, or write it plainly under stringData');
  take('stringData', (text) => Buffer.from(text), 'is not a string: put the value in quotes');
  return { data, findings };
}

function fromBase64(text: string): Buffer | undefined {
  const packed = text.replaceAll(/\s/g, '');
  return BASE64.test(packed) ? Buffer.from(packed, 'base64') : undefined;
}
