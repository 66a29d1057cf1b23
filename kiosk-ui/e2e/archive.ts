// Reads what the facilitator downloads, with other hands than those that wrote it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { ask } from './kiosk';

/** The files of a ZIP, by name (sqlite3 can read them). */
export function unzip(file: string): Map<string, Buffer> {
  const rows = ask<{ name: string; data: string }>(
    ':memory:',
    `SELECT name, hex(data) AS data FROM zipfile('${file}')`,
  );
  return new Map(rows.map(({ name, data }) => [name, Buffer.from(data, 'hex')]));
}

/** Checks each SHA256SUMS and its signature, and that nothing but the index is left out. */
export function verifySums(files: Map<string, Buffer>): void {
  const listed = new Set(['LIHAT-SAYA.html']);
  for (const [name, content] of files) {
    if (!name.endsWith('/SHA256SUMS')) continue;
    listed.add(name);
    const folder = name.slice(0, -'SHA256SUMS'.length);
    for (const line of content.toString().trim().split('\n')) {
      const [, sum, file] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
      const found = files.get(folder + file);
      expect(found, `${line} in ${name}`).toBeDefined();
      expect(
        createHash('sha256')
          .update(found ?? '')
          .digest('hex'),
        folder + file,
      ).toBe(sum);
      listed.add(folder + file);
    }
    const signature = `${name}.minisig`;
    const key = `${dirname(dirname(name))}/minisign.pub`;
    verifySignature(content, files.get(signature), files.get(key));
    listed.add(signature).add(key);
  }
  expect([...listed].sort()).toEqual([...files.keys()].sort());
}

/** minisign itself has the last word; it fails when the signature does not fit. */
function verifySignature(content: Buffer, signature?: Buffer, key?: Buffer): void {
  const folder = mkdtempSync(join(tmpdir(), 'mimpi-signed-'));
  try {
    for (const [name, bytes] of Object.entries({ sums: content, 'sums.minisig': signature, key })) {
      if (!bytes) throw new Error(`the export has no ${name}`);
      writeFileSync(join(folder, name), bytes);
    }
    execFileSync('minisign', ['-V', '-q', '-m', 'sums', '-p', 'key'], { cwd: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rows of a CSV file as Excel on an Indonesian Windows reads it: BOM, semicolons. */
export function readCSV(content: Buffer): Record<string, string>[] {
  const text = content.toString();
  expect(text.startsWith('\uFEFF'), 'a byte order mark').toBe(true);
  const lines = text.slice(1).trimEnd().split('\r\n').map(cells);
  const [header = [], ...rows] = lines;
  return rows.map((row) => Object.fromEntries(header.map((name, n) => [name, row[n] ?? ''])));
}

function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|;)(?:"((?:[^"]|"")*)"|([^;]*))/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  );
}
