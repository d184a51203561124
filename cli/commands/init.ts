/** `init`: a pipeline of one's own to begin with. */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { usageFailure } from '../exit-codes.ts';
import { createOutput } from '../output.ts';

const TEMPLATE = fileURLToPath(new URL('../templates/tabular', import.meta.url));

/** A name for the pipeline from the folder's, where it can be one. */
const nameFrom = (folder: string): string => {
  const name = basename(folder).replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 128);
  return name === '' ? 'my-pipeline' : name;
};

const writeTemplate = (folder: string): string[] => {
  const files = readdirSync(TEMPLATE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(TEMPLATE.length + 1));
  const present = files.filter((file) => existsSync(join(folder, file)));
  if (present.length > 0) throw usageFailure(`${folder} has ${present.join(', ')} already`, 'Give another folder: nothing is written over.');
  mkdirSync(folder, { recursive: true });
  cpSync(TEMPLATE, folder, { recursive: true, errorOnExist: true, force: false });
  const pipeline = join(folder, 'pipeline.yaml');
  writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace('name: my-pipeline', `name: ${nameFrom(folder)}`));
  return files;
};

export const registerInit = (program: Command): void => {
  program
    .command('init [folder]')
    .description('write a pipeline of your own to begin with: pipeline.yaml, features.sql and a note on data')
    .action((folder: string | undefined, _options: unknown, command: Command) => {
      const target = resolve(folder ?? '.');
      const files = writeTemplate(target);
      const output = createOutput(command.optsWithGlobals<{ json?: boolean }>().json === true);
      if (output.json) return output.document({ folder: target, files });
      files.forEach((file) => output.say(`wrote ${join(target, file)}`));
      output.say(`next: put data in ${join(target, 'data')} (see its README), then perennial apply -f ${join(target, 'pipeline.yaml')}`);
    });
};
