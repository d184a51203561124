/** MLflow's order_by clauses: a key, and ASC (the default) or DESC. */
import { subjectOf, type SearchTarget, type Subject } from './search-targets.ts';
import { SearchRefused } from './search-tokens.ts';

export type Order = { subject: Subject; descending: boolean };

const CLAUSE = /^(.*?)(?:\s+(ASC|DESC))?$/is;
const MOST_CLAUSES = 20;

const parseClause = (target: SearchTarget, clause: string): Order => {
  const [, word = '', direction = 'ASC'] = CLAUSE.exec(clause.trim()) ?? [];
  const key = word.trim();
  if (key === '' || (/\s/.test(key) && !/[`"]/.test(key) && !Object.hasOwn(target.attributes, key.toLowerCase()))) throw new SearchRefused(`Invalid order_by clause '${clause.slice(0, 200)}'`);
  const subject = subjectOf(target, key);
  if (subject.kind === 'dataset') throw new SearchRefused(`Invalid order_by clause '${clause.slice(0, 200)}': datasets give no order`);
  return { subject, descending: direction.toUpperCase() === 'DESC' };
};

/** @throws SearchRefused */
export const parseOrder = (target: SearchTarget, clauses: readonly string[] | undefined): Order[] => {
  if ((clauses?.length ?? 0) > MOST_CLAUSES) throw new SearchRefused(`more than ${MOST_CLAUSES} order_by clauses`);
  return (clauses ?? []).map((clause) => parseClause(target, clause));
};
