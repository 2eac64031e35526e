/** Forms of more fields are not read: to decode and sort as many as a body holds takes seconds. */
export const MOST_FIELDS = 1000;

const AMPERSAND = 0x26;

/** Whether a form has no more fields than are read; bytes are counted and nothing is decoded. */
export function isReadableForm(body: Buffer): boolean {
  let fields = 1;
  for (let at = body.indexOf(AMPERSAND); at >= 0; at = body.indexOf(AMPERSAND, at + 1)) {
    fields += 1;
    if (fields > MOST_FIELDS) return false;
  }
  return true;
}
