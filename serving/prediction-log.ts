/**
 * The prediction log of a gateway: an answer leaves only after its record is on the disk.
 *
 * Group commit: one write at a time, which is on the disk when it returns (O_DSYNC: as if an fdatasync followed, in one call); whatever gathers meanwhile goes in the next. All records of a group succeed or fail together; after
 * a failure the file is cut back to its last good end, so that no record stays of an answer that was refused.
 */
import { constants, mkdirSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialFailure } from '../domain/failure.ts';
import { checksumSeed, closedPath, closeLeftOver, openFileName, syncFolder, takeSpare } from './log-folder.ts';
import { encodeGroup } from './log-record.ts';
import { stayAwake } from './stay-awake.ts';

const ROTATE_MS = 2_000;
const ROTATE_BYTES = 32 * 1024 * 1024;
/** How long files of a process that seems to be alive are left to it: longer than a gateway drains. */
const LEFT_OVER_PATIENCE_MS = 15_000;

type OpenFile = {
  handle: FileHandle;
  path: string;
  seed: number;
  /** Length of what is committed; what follows in the file is of an earlier one. */
  bytes: number;
  isSpare: boolean;
  openedAt: number;
  versions: Set<string>;
};

class Group {
  readonly records: { version: string; text: string }[] = [];
  readonly done: Promise<void>;
  settle!: (error: Error | null) => void;

  constructor() {
    this.done = new Promise<void>((resolve, reject) => {
      this.settle = (error) => (error === null ? resolve() : reject(error));
    });
    // Each waiting request handles the failure; with nobody waiting it is no error of the process.
    this.done.catch(() => undefined);
  }
}

const writeAll = async (handle: FileHandle, bytes: Buffer, position: number): Promise<void> => {
  let written = 0;
  while (written < bytes.length) written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
};

const openForWriting = (path: string): Promise<FileHandle> => open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_DSYNC, 0o600);

export class PredictionLog {
  readonly #folder: string;
  readonly #openHandle: (path: string) => Promise<FileHandle>;
  #gathering: Group | undefined;
  #work: Promise<void> | undefined;
  #file: OpenFile | undefined;
  #sequence = 0;
  #isStopped = false;
  readonly #timer: NodeJS.Timeout;
  readonly #begunAt = Date.now();
  #hasLeftOver = false;
  /** Group commits that succeeded. */
  commits = 0;
  /** When writing began to fail; undefined while it works. */
  failingSince: Date | undefined;

  /** @param options.openFile opens a file for writing; tests give one that fails */
  constructor(folder: string, options: { openFile?: (path: string) => Promise<FileHandle> } = {}) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#openHandle = options.openFile ?? openForWriting;
    this.#timer = setInterval(() => this.#wake(), ROTATE_MS / 4);
    this.#timer.unref();
  }

  /**
   * Adds a record; resolves when it is on the disk.
   *
   * @param version JSON of a VersionLine; written once per file, before the first record of that version
   * @param record JSON of an AnswerLine
   * @throws PerennialFailure PredictionLogUnavailable when it cannot be written; it is not in the log then
   */
  append(version: string, record: string): Promise<void> {
    this.#gathering ??= new Group();
    this.#gathering.records.push({ version, text: record });
    const { done } = this.#gathering;
    if (this.#work === undefined) this.#wake();
    return done;
  }

  /** Closes what dead processes left open in the folder; call it when the folder is ours. */
  recover(): void {
    this.#hasLeftOver = true;
    this.#wake();
  }

  /** Writes what has gathered and closes the file. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    do {
      this.#wake();
      await this.#work;
    } while (this.#gathering !== undefined || this.#file !== undefined);
  }

  /** Begins a round of work in the next turn, so that answers of one batch go into one group. */
  #wake(): void {
    if (this.#work !== undefined) return;
    this.#work = new Promise<void>((resolve) => {
      setImmediate(() => {
        void this.#round().finally(() => {
          this.#work = undefined;
          if (this.#gathering !== undefined) this.#wake();
          resolve();
        });
      });
    });
  }

  async #round(): Promise<void> {
    const group = this.#gathering;
    this.#gathering = undefined;
    if (group !== undefined) await this.#commit(group);
    await this.#housekeeping().catch(() => undefined);
  }

  async #commit(group: Group): Promise<void> {
    try {
      const file = (this.#file ??= await this.#openFile());
      const bytes = Buffer.from(this.#textOf(group, file), 'utf8');
      let isBack = false;
      stayAwake(() => isBack);
      await writeAll(file.handle, bytes, file.bytes).finally(() => (isBack = true));
      file.bytes += bytes.length;
      this.commits += 1;
      this.failingSince = undefined;
      group.settle(null);
    } catch (error) {
      this.failingSince ??= new Date();
      await this.#abandonFile();
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      group.settle(new PerennialFailure('PredictionLogUnavailable', `the prediction log cannot be written (${code})`, { cause: error }));
    }
  }

  #textOf(group: Group, file: OpenFile): string {
    const texts: string[] = [];
    for (const { version, text } of group.records) {
      if (!file.versions.has(version)) {
        file.versions.add(version);
        texts.push(version);
      }
      texts.push(text);
    }
    return encodeGroup(texts, file.seed);
  }

  async #openFile(): Promise<OpenFile> {
    const path = join(this.#folder, openFileName((this.#sequence += 1)));
    const isSpare = await takeSpare(this.#folder, path);
    const handle = await this.#openHandle(path);
    try {
      await syncFolder(this.#folder);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return { handle, path, seed: checksumSeed(path), bytes: 0, isSpare, openedAt: Date.now(), versions: new Set() };
  }

  /** After a failed write or sync nothing is known of the end of the file: it is cut back and another is begun. */
  async #abandonFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    await this.#closeFile({ ...file, isSpare: true }).catch(() => undefined);
  }

  async #closeFile(file: OpenFile): Promise<void> {
    try {
      if (file.isSpare) await file.handle.truncate(file.bytes).catch(() => undefined);
      await file.handle.close();
      await rename(file.path, closedPath(file.path));
    } catch (error) {
      // Found again as left over.
      this.#hasLeftOver = true;
      throw error;
    }
  }

  async #housekeeping(): Promise<void> {
    const file = this.#file;
    const age = file === undefined ? 0 : Date.now() - file.openedAt;
    if (file !== undefined && (this.#isStopped || age >= ROTATE_MS || file.bytes >= ROTATE_BYTES)) {
      this.#file = undefined;
      await this.#closeFile(file);
    }
    if (this.#hasLeftOver) {
      const force = Date.now() - this.#begunAt > LEFT_OVER_PATIENCE_MS;
      this.#hasLeftOver = (await closeLeftOver(this.#folder, this.#file?.path, { force })).length > 0;
    }
  }
}
