// @vitest-environment node
//
// The golden messages that the Go tests write (internal/web/testdata) are checked against
// protocol.ts by the TypeScript compiler: when either side changes alone, this fails.

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

type Json = { [key: string]: unknown };

const files = import.meta.glob<Json>('../../internal/web/testdata/protocol/*/*.json', {
  eager: true,
  import: 'default',
});
const generated = new URL('golden.generated.ts', import.meta.url).pathname; // never on the disk
const viewTypes = {
  stage: 'StageView',
  touch: 'TouchView',
  vote: 'VoteView',
  facilitator: 'FacilitatorView',
};

function read(folder: 'from' | 'to'): { name: string; message: Json }[] {
  return Object.entries(files).flatMap(([path, message]) => {
    const [name, parent] = path.split('/').reverse();
    return parent === folder && name ? [{ name: name.replace('.json', ''), message }] : [];
  });
}

/** What the compiler finds wrong with a module that stands beside this test. */
function complaints(source: string): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    exactOptionalPropertyTypes: true, // an optional field is left out, not undefined
    noEmit: true,
    skipLibCheck: true,
    lib: ['lib.es2022.d.ts'],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => name === generated || fileExists(name);
  host.readFile = (name) => (name === generated ? source : readFile(name));
  host.getSourceFile = (name, language, ...rest) =>
    name === generated
      ? ts.createSourceFile(name, source, language)
      : getSourceFile(name, language, ...rest);
  const program = ts.createProgram([generated], options, host);
  return ts.getPreEmitDiagnostics(program).map((d) => {
    const words = ts.flattenDiagnosticMessageText(d.messageText, '\n');
    const line = d.file?.getLineAndCharacterOfPosition(d.start ?? 0).line ?? 0;
    return `${d.file?.text.split('\n')[line]?.slice(0, 60) ?? ''}: ${words}`;
  });
}

const literal = (value: unknown) => JSON.stringify(value);

/** One statement for each message; the view also by itself, where nothing can hide in a union. */
function fromKiosk({ name, message }: { name: string; message: Json }): string {
  const view = message.view as Json | undefined;
  const lines = [`/* ${name} */ void (${literal(message)} satisfies FromKiosk);`];
  if (view) {
    const type = viewTypes[view.role as keyof typeof viewTypes];
    lines.push(`/* ${name} */ void (${literal(view)} satisfies ${type});`);
  }
  return lines.join('\n');
}

function toKiosk({ name, message }: { name: string; message: Json }): string {
  return `/* ${name} */ void (${literal(message)} satisfies ToKiosk);`;
}

const header = `import type { FacilitatorView, FromKiosk, StageView, ToKiosk, TouchView, VoteView } from '../src/lib/protocol';
`;

describe('the golden messages of internal/web', { timeout: 120_000 }, () => {
  it('are what protocol.ts says', () => {
    const from = read('from');
    const to = read('to');
    expect(from.length).toBeGreaterThan(60);
    expect(to.length).toBeGreaterThan(25);
    const dos = [...new Set(to.map(({ message }) => message.do))];
    const known = dos.map((name) => `    | ${literal(name)}`).join('\n');
    const source = [
      header,
      ...from.map(fromKiosk),
      ...to.map(toKiosk),
      '// and each command of protocol.ts has an example:',
      `type Missing = Exclude<ToKiosk['do'],\n${known}>;`,
      '/* a command without an example */ ((missing: never) => missing)(null as unknown as Missing);',
    ].join('\n');
    expect(complaints(source)).toEqual([]);
  });

  it('are checked in earnest', () => {
    // Each of these breaks one message, and must be found.
    const messages = [...read('from'), ...read('to')];
    const broken = (what: string, name: string, edit: (message: Json) => void) => {
      const found = messages.find((file) => file.name === name);
      if (!found) throw new Error(`there is no ${name}.json`);
      const message = structuredClone(found.message);
      edit(message);
      return { name: what, message };
    };
    const view = (message: Json) => message.view as Json;
    const from = [
      broken('a field that TypeScript does not know', 'stage-question-open', (m) => {
        view(m).counter = 1;
      }),
      broken('a field that is gone', 'touch-doors', (m) => {
        delete view(m).keys;
      }),
      broken('null for a list', 'vote-question-open', (m) => {
        view(m).help = null;
      }),
      broken('a scene that there is not', 'stage-welcome', (m) => {
        view(m).scene = 'intermission';
      }),
      broken('a field deep inside', 'facilitator-question-open', (m) => {
        (view(m).current as Json).total = 3;
      }),
      broken('an answer without its sentence', 'refused-not-open', (m) => {
        delete m.message;
      }),
    ];
    const to = [
      broken('a command that changed', 'seekFilm', (m) => {
        m.to = '90000';
      }),
      broken('a command that got a field', 'playFilm', (m) => {
        m.at = 5;
      }),
    ];
    const found = complaints([header, ...from.map(fromKiosk), ...to.map(toKiosk)].join('\n'));
    for (const { name } of [...from, ...to]) {
      expect(
        found.filter((line) => line.startsWith(`/* ${name} */`)),
        name,
      ).not.toEqual([]);
    }
  });
});
