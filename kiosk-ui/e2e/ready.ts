// Says in one sentence what is missing, before a test fails on it in many.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromiumPath, daemon, filmFile } from './places';

export default function ready(): void {
  const missing = [
    [daemon, 'the daemon: run `make build`'],
    [filmFile, 'the demo film: run `make demo-film`'],
    [chromiumPath, 'Chromium: run `make test-browser`'],
  ].filter(([path]) => !existsSync(path as string));
  for (const program of ['zbarimg', 'sqlite3', 'ffmpeg', 'minisign']) {
    if (spawnSync(program, ['-version']).error)
      missing.push([program, 'apt has it: run `make test-browser`']);
  }
  if (missing.length > 0) {
    throw new Error(missing.map(([what, how]) => `${what} is not there; ${how}`).join('\n'));
  }
}
