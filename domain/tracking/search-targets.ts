/** What can be searched for in runs, experiments, logged models, registered models and model versions. */
import { SearchRefused } from './search-tokens.ts';

export type Attribute = { name: string; type: 'text' | 'number' };
export type SubjectKind = 'attribute' | 'metric' | 'param' | 'tag' | 'dataset';
/** `key` of an attribute or dataset is its own name, not an alias of it. */
export type Subject = { kind: SubjectKind; key: string; type: 'text' | 'number' };

export type SearchTarget = {
  /** The plural, for messages. */
  things: string;
  kinds: readonly SubjectKind[];
  /** By every spelling in lower case. */
  attributes: Readonly<Record<string, Attribute>>;
};

const text = (name: string): Attribute => ({ name, type: 'text' });
const number = (name: string): Attribute => ({ name, type: 'number' });

const named = (attributes: readonly Attribute[], aliases: Record<string, string> = {}): Record<string, Attribute> => {
  const table = Object.fromEntries(attributes.map((attribute) => [attribute.name, attribute]));
  for (const [alias, name] of Object.entries(aliases)) {
    const attribute = table[name];
    if (attribute !== undefined) table[alias] = attribute;
  }
  return table;
};

const DATASET: Record<string, Attribute> = named([text('name'), text('digest'), text('context')]);

export const RUNS: SearchTarget = {
  things: 'runs',
  kinds: ['attribute', 'metric', 'param', 'tag', 'dataset'],
  attributes: named(
    ['run_id', 'run_name', 'user_id', 'status', 'artifact_uri', 'experiment_id'].map(text).concat(['start_time', 'end_time', 'last_heard_time'].map(number)),
    { 'run name': 'run_name', 'run id': 'run_id', user: 'user_id', created: 'start_time' },
  ),
};

export const EXPERIMENTS: SearchTarget = {
  things: 'experiments',
  kinds: ['attribute', 'tag'],
  attributes: named([text('name'), text('experiment_id'), number('creation_time'), number('last_update_time')]),
};

export const LOGGED_MODELS: SearchTarget = {
  things: 'logged models',
  kinds: ['attribute', 'metric', 'param', 'tag'],
  attributes: named(
    ['name', 'model_id', 'model_type', 'status', 'source_run_id'].map(text).concat(['creation_timestamp', 'last_updated_timestamp'].map(number)),
    { creation_time: 'creation_timestamp', last_updated_time: 'last_updated_timestamp', creation_timestamp_ms: 'creation_timestamp', last_updated_timestamp_ms: 'last_updated_timestamp', run_id: 'source_run_id' },
  ),
};

export const REGISTERED_MODELS: SearchTarget = {
  things: 'registered models',
  kinds: ['attribute', 'tag'],
  attributes: named([text('name'), number('last_updated_timestamp'), number('creation_timestamp')], { timestamp: 'last_updated_timestamp' }),
};

export const MODEL_VERSIONS: SearchTarget = {
  things: 'model versions',
  kinds: ['attribute', 'tag'],
  attributes: named(
    ['name', 'run_id', 'source_path', 'current_stage'].map(text).concat(['version_number', 'creation_timestamp', 'last_updated_timestamp'].map(number)),
    { version: 'version_number', timestamp: 'last_updated_timestamp', source: 'source_path' },
  ),
};

const KINDS: Record<string, SubjectKind> = {
  metric: 'metric', metrics: 'metric', param: 'param', params: 'param', parameter: 'param', parameters: 'param', tag: 'tag', tags: 'tag',
  attribute: 'attribute', attributes: 'attribute', attr: 'attribute', run: 'attribute', dataset: 'dataset', datasets: 'dataset',
};

const unquote = (key: string): string => (/^(`[^`]*`|"[^"]*")$/.test(key) ? key.slice(1, -1) : key);

const attributeOf = (target: SearchTarget, name: string): Subject => {
  const attribute = Object.hasOwn(target.attributes, name.toLowerCase()) ? target.attributes[name.toLowerCase()] : undefined;
  if (attribute === undefined) {
    const known = [...new Set(Object.values(target.attributes).map((one) => one.name))].join(', ');
    throw new SearchRefused(`Invalid attribute key '${name}' specified. Valid keys for ${target.things} are: ${known}`);
  }
  return { kind: 'attribute', key: attribute.name, type: attribute.type };
};

/** The subject that a key names. @throws SearchRefused when these things have none of that name */
export const subjectOf = (target: SearchTarget, word: string): Subject => {
  const dot = word.indexOf('.');
  const prefix = dot < 0 ? '' : word.slice(0, dot).toLowerCase();
  const kind = Object.hasOwn(KINDS, prefix) ? KINDS[prefix] : undefined;
  if (kind === undefined) {
    if (dot >= 0 && !word.startsWith('`')) throw new SearchRefused(`Invalid entity type '${word.slice(0, dot)}'. Valid values for ${target.things} are: ${target.kinds.join(', ')}`);
    return attributeOf(target, unquote(word));
  }
  if (!target.kinds.includes(kind)) throw new SearchRefused(`Invalid entity type '${prefix}'. Valid values for ${target.things} are: ${target.kinds.join(', ')}`);
  const key = unquote(word.slice(dot + 1));
  if (key === '') throw new SearchRefused(`Invalid clause(s) in filter string: '${word}' names no key`);
  if (kind === 'attribute') return attributeOf(target, key);
  if (kind === 'dataset' && !Object.hasOwn(DATASET, key)) throw new SearchRefused(`Invalid dataset key '${key}' specified. Valid keys are: ${Object.keys(DATASET).join(', ')}`);
  return { kind, key, type: kind === 'metric' ? 'number' : 'text' };
};
