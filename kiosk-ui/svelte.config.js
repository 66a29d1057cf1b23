// Svelte reads TypeScript by itself as long as it is only types; nothing to preprocess.
export default { compilerOptions: { runes: true } };
