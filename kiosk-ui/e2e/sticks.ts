// USB sticks without a USB socket: loop devices, which the kiosk's own script mounts. What
// systemd does with its units (systemd/mimpi-kiosk-usb*) is done here. Needs root.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import { root } from './places';

const run = promisify(execFile);

// The script mounts FAT and exFAT alone, which kernels for tests often lack: here ext4 is a
// file system for sticks. The rest is the script's own (internal/usb/system_test.go does the same).
const withExt4 = `#!/bin/sh
MIMPI_KIOSK_USB_SOURCED=1
. ${resolve(root, 'systemd/mimpi-kiosk-usb')}
for_sticks() { [ "$1" = ext4 ]; }
try() { mount -t ext4 -o "$1,errors=remount-ro" "$dev" "$mnt"; }
repair() { e2fsck -p "$dev"; }
main "$@"
`;

export class Sticks {
  /** The daemon's usb.folder. */
  readonly folder = mkdtempSync(join(tmpdir(), 'mimpi-sticks-'));
  #images = 0;
  #in = new Map<string, string>(); // name of the device: its path
  #ended = false;
  #requests: Promise<void>;

  constructor() {
    if (process.getuid?.() !== 0) throw new Error('sticks are loop devices here: run this as root');
    for (const name of ['sticks', 'mnt', 'requests']) mkdirSync(join(this.folder, name));
    writeFileSync(this.#program(), withExt4, { mode: 0o755 });
    this.#requests = this.#serve();
  }

  /** A stick of so many MB, with what fill puts into the folder. */
  make(mb: number, fill: (folder: string) => void = () => {}): string {
    const image = join(this.folder, `stick-${++this.#images}.img`);
    execFileSync('truncate', ['-s', `${mb}M`, image]);
    execFileSync('mkfs.ext4', ['-q', '-L', 'KIOS NTT', '-m', '0', image]);
    this.look(image, fill, 'rw');
    return image;
  }

  /** What stands on a stick that is not plugged in. */
  look(image: string, see: (folder: string) => void, how = 'ro'): void {
    const place = mkdtempSync(join(this.folder, 'look-'));
    execFileSync('mount', ['-o', `loop,${how}`, image, place]);
    try {
      see(place);
    } finally {
      execFileSync('umount', [place]);
    }
  }

  /** Plugs it in and gives its name. */
  async plug(image: string, ...how: '--read-only'[]): Promise<string> {
    const { stdout } = await run('losetup', [...how, '--find', '--show', image]);
    const device = stdout.trim();
    const name = basename(device);
    this.#in.set(name, device);
    await this.#script('plug', name);
    return name;
  }

  async pull(name: string): Promise<void> {
    const device = this.#in.get(name);
    if (!device) return;
    this.#in.delete(name);
    await this.#script('unplug', name);
    await run('losetup', ['--detach', device]);
  }

  mounted(name: string): string {
    return join(this.folder, 'mnt', name);
  }

  /** From now on who writes to it waits; so it can be looked at in the middle of an export. */
  freeze(name: string): void {
    execFileSync('fsfreeze', ['--freeze', this.mounted(name)]);
  }

  thaw(name: string): void {
    execFileSync('fsfreeze', ['--unfreeze', this.mounted(name)]);
  }

  async gone(): Promise<void> {
    this.#ended = true;
    await this.#requests;
    for (const name of [...this.#in.keys()]) await this.pull(name);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #serve(): Promise<void> {
    const requests = join(this.folder, 'requests');
    while (!this.#ended) {
      if (readdirSync(requests).length > 0) await this.#script('requests');
      await after(20);
    }
  }

  async #script(...words: string[]): Promise<void> {
    const env = { ...process.env, MIMPI_KIOSK_USB: this.folder, MIMPI_KIOSK_USER: 'root' };
    await run(this.#program(), words, { env });
  }

  #program(): string {
    return join(this.folder, 'usb');
  }
}
