/** Copies files between tracking servers, as streams. */
import type { Json, TrackingClient } from './tracking-client.ts';

export type Servers = { from: TrackingClient; to: TrackingClient };

const SCHEME = 'mlflow-artifacts:';

/** The path that an address names at its server; undefined when the files lie elsewhere. */
export const pathOfUri = (uri: string): string | undefined => (uri.startsWith(SCHEME) ? uri.slice(SCHEME.length).replace(/^\/\/[^/]*/, '').replace(/^\/+|\/+$/g, '') : undefined);

type File = { path: string; bytes: number };

const listAll = async function* (client: TrackingClient, root: string, inside = ''): AsyncGenerator<File> {
  const folder = inside === '' ? root : `${root}/${inside}`;
  const listed = await client.list(folder);
  for (const entry of (listed['files'] as Json[] | undefined) ?? []) {
    // Names are relative to the folder; a name that would leave it is none.
    const name = String(entry['path']).split('/').at(-1) ?? '';
    if (name === '' || name === '.' || name === '..') continue;
    const path = inside === '' ? name : `${inside}/${name}`;
    if (entry['is_dir'] === true) yield* listAll(client, root, path);
    else yield { path, bytes: Number(entry['file_size'] ?? 0) };
  }
};

/** Copies what is not there in its size already. Gives how many files were copied; undefined when they lie in another store. */
export const copyArtifacts = async ({ from, to }: Servers, uris: { from: string; to: string }): Promise<number | undefined> => {
  const [source, target] = [pathOfUri(uris.from), pathOfUri(uris.to)];
  if (source === undefined || target === undefined) return undefined;
  const present = new Map<string, number>();
  for await (const { path, bytes } of listAll(to, target)) present.set(path, bytes);
  let copied = 0;
  for await (const { path, bytes } of listAll(from, source)) {
    if (present.get(path) === bytes) continue;
    await to.write(`${target}/${path}`, await from.read(`${source}/${path}`));
    copied += 1;
  }
  return copied;
};
