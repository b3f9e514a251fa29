import { type PublishedRow, readPublishedRows } from '../../evidence/published-row.ts';
import { packagePath } from '../../runtime/package-info.ts';

/** The published measurements that come with the program. */
export function publishedRows(): readonly PublishedRow[] {
  return readPublishedRows(packagePath('services/evidence/published/rows.csv'));
}
