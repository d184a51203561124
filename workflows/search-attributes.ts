/** The search attributes of every workflow, typed. */
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/ids.ts';

type Name = keyof typeof SEARCH_ATTRIBUTES;
type Keyword = { key: { name: string; type: 'KEYWORD' }; value: string };

/** The attributes as pairs, for the start of a child. */
export const searchAttributesOf = (values: Partial<Record<Name, string>>): Keyword[] =>
  (Object.entries(values) as [Name, string | undefined][]).flatMap(([name, value]) =>
    value === undefined ? [] : [{ key: { name: SEARCH_ATTRIBUTES[name], type: 'KEYWORD' as const }, value }],
  );

/** Sets attributes of this workflow; the others keep their values, and those that it was started with are not set again. */
export const setSearchAttributes = (values: Partial<Record<Name, string>>): void => {
  const present = workflowInfo().typedSearchAttributes;
  const changed = searchAttributesOf(values).filter(({ key, value }) => present.get(key) !== value);
  if (changed.length > 0) upsertSearchAttributes(changed);
};
