/** A real Chromium, driven by playwright-core: found by CHROMIUM_PATH, then on the PATH. */
import { spawnSync } from 'node:child_process';
import { chromium, type Browser } from 'playwright-core';
import { findOnPath, isExecutable } from '../../deploy/local/tools/machine.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const INSTALL = 'install it (Debian: apt-get install chromium), or name one by CHROMIUM_PATH';

const chosen = (): string | undefined => process.env['CHROMIUM_PATH'] || undefined;

/** @throws Error that says what to install */
export const findChromium = (): string => {
  const path = chosen();
  if (path !== undefined) {
    if (isExecutable(path)) return path;
    throw new Error(`CHROMIUM_PATH is "${path}", which is no program: ${INSTALL}`);
  }
  const found = NAMES.map(findOnPath).find((name) => name !== undefined);
  if (found === undefined) throw new Error(`the tests of the console need a Chromium: ${INSTALL}`);
  return found;
};

/** As root a browser has no sandbox of its own to offer. */
export const startBrowser = (): Promise<Browser> => {
  const isRoot = spawnSync('id', ['-u'], { encoding: 'utf8' }).stdout.trim() === '0';
  return chromium.launch({ executablePath: findChromium(), chromiumSandbox: !isRoot, args: ['--disable-gpu', '--disable-dev-shm-usage'] });
};
