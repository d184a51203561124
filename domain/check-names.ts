/** What a check is called in reports. */
import type { DataCheck } from '../contracts/data-check.ts';

const MOST_COLUMNS = 10;

const columnsOf = (check: DataCheck): string[] => {
  if (check.kind === 'columns') return check.required;
  if (check.kind === 'sql') return [check.name];
  if (check.kind === 'rowCount') return [];
  return 'columns' in check ? check.columns : [check.column];
};

export const nameOfCheck = (check: DataCheck): string => {
  const columns = columnsOf(check);
  if (columns.length === 0) return check.kind;
  const of = check.kind === 'type' ? `, ${check.type}` : check.kind === 'foreignKey' ? ` in ${check.references.table}` : '';
  return `${check.kind}(${columns.slice(0, MOST_COLUMNS).join(', ')}${columns.length > MOST_COLUMNS ? ', …' : ''}${of})`;
};
