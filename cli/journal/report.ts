import type { JournalReport } from '../../receiver/journal/sqlite/backup.ts';

const MEGA = 1_000_000;

/** A report for a person: what there is, and each finding on a line of its own. */
export function tellReport(report: JournalReport): string {
  const { version, bytes, events, undone, dead, keys, rows, findings } = report;
  const size = bytes < MEGA ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / MEGA).toFixed(1)} MB`;
  const held = `Journal of version ${version}, ${size}: ${events} events, ${undone} undone deliveries, ${dead} dead letters, ${keys} dedup keys, ${rows} rows.`;
  if (findings.length === 0) return `${held}\nNothing is wrong with it.`;
  const found = findings.length === 1 ? '1 finding:' : `${findings.length} findings:`;
  const known = findings.some(({ what }) => what === 'file')
    ? `Journal of version ${version}, ${size}.`
    : held;
  return [known, found, ...findings.map(({ message }) => `  ${message}`), remedyFor(report)].join('\n');
}

function remedyFor({ findings }: JournalReport): string {
  if (findings.every(({ what }) => what === 'event'))
    return 'The receiver serves none of these events; their deliveries become dead letters when they are due.';
  return 'Stop the receiver, set its journal aside, and restore a backup.';
}
