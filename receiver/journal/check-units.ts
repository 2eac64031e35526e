import type { RowWrite, Unit } from './journal.ts';

const ID_BYTES = 512;
const BODY_BYTES = 4 * 1024 * 1024;

/** Every engine refuses the same units, before anything of them is written. @throws RangeError naming what is wrong */
export function checkUnits(units: readonly Unit[]): void {
  for (const [i, { event, unseen, deliveries, rows }] of units.entries()) {
    if (event === undefined && (unseen !== undefined || deliveries.length > 0))
      throw new RangeError(`units[${i}]: has no event, so it can have neither unseen nor deliveries`);
    for (const [at, { held, line, parked }] of deliveries.entries()) {
      if (held && (line !== undefined || parked !== undefined))
        throw new RangeError(`units[${i}].deliveries[${at}]: one that is held is in no line and not parked`);
    }
    if (rows !== undefined) checkRows(rows, `units[${i}].rows`);
  }
}

function checkRows(rows: readonly RowWrite[], path: string): void {
  const met = new Set<string>();
  for (const [i, row] of rows.entries()) {
    const { kind, id } = row;
    if (id === '' || Buffer.byteLength(id) > ID_BYTES)
      throw new RangeError(
        `${path}[${i}].id: has ${Buffer.byteLength(id)} bytes; 1 to ${ID_BYTES} are taken`,
      );
    if ('body' in row && Buffer.byteLength(row.body) > BODY_BYTES)
      throw new RangeError(
        `${path}[${i}].body: has ${Buffer.byteLength(row.body)} bytes; up to ${BODY_BYTES} are taken`,
      );
    const name = `${kind}\n${id}`;
    if (met.has(name)) throw new RangeError(`${path}[${i}]: the unit names this row twice`);
    met.add(name);
  }
}
