// What the grammar makes of a text, as VS Code would colour it: `node test.js`.
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { Registry, parseRawGrammar, INITIAL } = require("vscode-textmate");
const oniguruma = require("vscode-oniguruma");

const WANTED = [
  ["# a comment", [["# a comment", "comment.line"]]],
  ["model Net(width = 3) {", [["model", "storage.type"], ["Net", "entity.name.type"], ["width", "variable.parameter"], ["3", "constant.numeric"]]],
  ["    Conv2d(16, 3, padding_mode=\"zeros\") as stem -> [16, 8, 8]  # x", [
    ["Conv2d", "support.class"], ["16", "constant.numeric"], ["padding_mode", "variable.parameter"], ["zeros", "string.quoted"],
    ["as", "keyword.control"], ["stem", "variable.other"], ["->", "keyword.operator"], ["# x", "comment.line"],
  ]],
  ["    repeat 2 { concat { branch { ReLU } } }", [["repeat", "keyword.control"], ["concat", "keyword.other"], ["ReLU", "support.class"]]],
  ["    lr = 1e-3", [["lr", "variable.parameter"], ["1e-3", "constant.numeric"]]],
  ["    if x == none and not true { }", [["x", "variable.other"], ["none", "constant.language"], ["and", "keyword.operator.logical"]]],
];

async function main() {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer;
  await oniguruma.loadWASM(wasm);
  const file = path.join(__dirname, "syntaxes", "cnn.tmLanguage.json");
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, "utf8"), file),
  });
  const grammar = await registry.loadGrammar("source.cnn");
  for (const [line, wanted] of WANTED) {
    const { tokens } = grammar.tokenizeLine(line, INITIAL);
    for (const [word, scope] of wanted) {
      const at = line.indexOf(word);
      const token = tokens.find((one) => one.startIndex <= at && at < one.endIndex);
      assert(token.scopes.some((one) => one.startsWith(scope)), `${word} in ${line}: ${token.scopes}`);
    }
  }
  console.log(`${WANTED.length} lines are coloured as wanted`);
}

main();
