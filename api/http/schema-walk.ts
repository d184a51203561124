/** Walks a zod schema beside a value, to say which keys are valid at a place. */
import { z } from 'zod';

type Place = { path: readonly PropertyKey[]; root: unknown };

/** The schema inside optional, default, prefault, nullable and the like. */
const unwrap = (schema: z.core.$ZodType): z.core.$ZodType => {
  let inner = schema;
  for (;;) {
    const definition = inner._zod.def as { innerType?: z.core.$ZodType };
    if (definition.innerType === undefined) return inner;
    inner = definition.innerType;
  }
};

const branchOf = (schema: z.ZodUnion | z.ZodDiscriminatedUnion, value: unknown): z.core.$ZodType[] => {
  const options = schema.options.map(unwrap);
  const { discriminator } = schema._zod.def as { discriminator?: string };
  if (discriminator === undefined) return options;
  const given = (value as Record<string, unknown> | null | undefined)?.[discriminator];
  return options.filter((option) => option instanceof z.ZodObject && (option.shape as Record<string, z.ZodType>)[discriminator]?.safeParse(given).success === true);
};

/** The object schemas that could be meant at a schema with this value. */
const objectsOf = (schema: z.core.$ZodType, value: unknown): z.ZodObject[] => {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return [inner];
  if (inner instanceof z.ZodUnion) return branchOf(inner, value).flatMap((option) => objectsOf(option, value));
  return [];
};

const childOf = (schema: z.core.$ZodType, step: { key: PropertyKey; value: unknown }): z.core.$ZodType[] => {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return [inner.element];
  if (inner instanceof z.ZodRecord) return [inner.valueType];
  if (inner instanceof z.ZodUnion) return branchOf(inner, step.value).flatMap((option) => childOf(option, step));
  if (inner instanceof z.ZodObject) {
    const child = (inner.shape as Record<PropertyKey, z.core.$ZodType>)[step.key];
    return child === undefined ? [] : [child];
  }
  return [];
};

/** Names of the keys that the object at a path may have; empty when the path leads to no object. */
export const keysAt = (schema: z.ZodType, { path, root }: Place): string[] => {
  let schemas: z.core.$ZodType[] = [schema];
  let value = root;
  for (const key of path) {
    const here = value;
    schemas = schemas.flatMap((candidate) => childOf(candidate, { key, value: here }));
    value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  }
  const keys = schemas.flatMap((candidate) => objectsOf(candidate, value)).flatMap((object) => Object.keys(object.shape));
  return [...new Set(keys)];
};
