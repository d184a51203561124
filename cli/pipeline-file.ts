/**
 * Reads a pipeline from a file, YAML or a module that exports `pipeline`, and makes it independent of where it lies: the SQL file is
 * read in, and paths that are relative to the file become absolute.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMap, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { usageFailure } from './exit-codes.ts';

export type PipelineFile = {
  pipeline: Record<string, unknown>;
  /** Line of a path such as `train.seed`, counted from 1; undefined where it is not known. */
  lineOf(path: string): number | undefined;
};

type Mapping = Record<string, unknown>;

const asMapping = (value: unknown): Mapping | undefined => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : undefined);

/** A path, or a glob that begins with one; what is absolute or elsewhere (`s3://…`) stays. */
const absolute = (folder: string, path: unknown): unknown => (typeof path !== 'string' || isAbsolute(path) || path.includes('://') ? path : resolve(folder, path));

const withSql = (features: Mapping, folder: string): Mapping => {
  const { sqlFile, ...rest } = features;
  if (sqlFile === undefined) return features;
  if (typeof sqlFile !== 'string') throw usageFailure('features.sqlFile must be the name of a file', 'Write features.sqlFile: features.sql');
  if (rest['sql'] !== undefined) throw usageFailure('features has both sql and sqlFile', 'Remove one of them.');
  const path = resolve(folder, sqlFile);
  if (!existsSync(path)) throw usageFailure(`there is no file ${path} (features.sqlFile)`, 'Correct features.sqlFile; it is relative to the pipeline file.');
  return { ...rest, sql: readFileSync(path, 'utf8') };
};

const withTables = (source: Mapping, folder: string): Mapping => {
  const tables = asMapping(source['tables']);
  if (tables === undefined) return source;
  const resolved = Object.entries(tables).map(([name, table]) => {
    const mapping = asMapping(table);
    if (mapping === undefined) return [name, table];
    const { files } = mapping;
    return [name, { ...mapping, files: Array.isArray(files) ? files.map((file) => absolute(folder, file)) : absolute(folder, files) }];
  });
  return { ...source, tables: Object.fromEntries(resolved) };
};

/** A part of the command that names a file beside the pipeline means that file. */
const commandPart = (folder: string, part: unknown): unknown => {
  if (typeof part !== 'string' || isAbsolute(part) || part.startsWith('-')) return part;
  const path = resolve(folder, part);
  return /^\.{1,2}\//.test(part) || statSync(path, { throwIfNoEntry: false })?.isFile() === true ? path : part;
};

const withTrainer = (train: Mapping, folder: string): Mapping => {
  const trainer = asMapping(train['trainer']);
  if (trainer === undefined || !Array.isArray(trainer['command'])) return train;
  return { ...train, trainer: { ...trainer, command: trainer['command'].map((part) => commandPart(folder, part)) } };
};

const resolved = (pipeline: Mapping, folder: string): Mapping => {
  const parts: [string, (part: Mapping, folder: string) => Mapping][] = [['source', withTables], ['features', withSql], ['train', withTrainer]];
  const changed = parts.flatMap(([name, change]) => {
    const part = asMapping(pipeline[name]);
    return part === undefined ? [] : [[name, change(part, folder)]];
  });
  return { ...pipeline, ...Object.fromEntries(changed) };
};

const MOST_ALIASES = 100;

const lineFinder = (document: Document, lines: LineCounter) => (path: string): number | undefined => {
  const keys = path.split(/\.|\[|\]\.?/).filter((part) => part !== '').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const parent = keys.length <= 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(keys.at(-1))) : undefined;
  const node = (pair?.key ?? document.getIn(keys, true) ?? parent) as Node | undefined;
  const offset = node?.range?.[0];
  return offset === undefined ? undefined : lines.linePos(offset).line;
};

const readYaml = (path: string): { value: unknown; lineOf: PipelineFile['lineOf'] } => {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const [mistake] = [...document.errors, ...document.warnings];
  if (mistake !== undefined) {
    throw usageFailure(`${path}:${lines.linePos(mistake.pos[0]).line}: the YAML is not valid: ${mistake.message.split('\n', 1)[0]}`, 'Correct the YAML at this line.');
  }
  try {
    return { value: document.toJS({ maxAliasCount: MOST_ALIASES }), lineOf: lineFinder(document, lines) };
  } catch (error) {
    throw usageFailure(`${path}: the YAML is not valid: ${error instanceof Error ? error.message : String(error)}`, 'Use fewer aliases.');
  }
};

const readModule = async (path: string): Promise<unknown> => {
  let module: { pipeline?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as { pipeline?: unknown };
  } catch (error) {
    // definePipeline checks while the module is loaded: its message names each place.
    throw usageFailure(`${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`, 'Correct the pipeline.');
  }
  if (module.pipeline === undefined) throw usageFailure(`${path} exports no \`pipeline\``, 'Write: export const pipeline = definePipeline({ … })');
  return module.pipeline;
};

const MODULES = new Set(['.ts', '.mts', '.js', '.mjs']);

/** @throws CliFailure (usage) that says what is wrong with the file */
export const readPipelineFile = async (file: string): Promise<PipelineFile> => {
  const path = resolve(file);
  if (!existsSync(path)) throw usageFailure(`there is no file ${path}`, 'Give the path of a pipeline: perennial apply -f pipeline.yaml');
  const { value, lineOf } = MODULES.has(extname(path)) ? { value: await readModule(path), lineOf: () => undefined } : readYaml(path);
  const pipeline = asMapping(value);
  if (pipeline === undefined) throw usageFailure(`${path} holds no pipeline`, 'A pipeline is a mapping with name, source, features, split and train.');
  return { pipeline: resolved(pipeline, dirname(path)), lineOf };
};
