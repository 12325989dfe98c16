// Starts `cnnspec lsp`, and puts the commands of cnnspec into VS Code's palette.
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

/** The command as the settings name it. */
function command() {
  return vscode.workspace.getConfiguration("cnnspec").get("path");
}

/** Runs `cnnspec <name> <this file>` in a terminal, where its output has room and stays. */
function inTerminal(name) {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return;
  editor.document.save().then(() => {
    const task = new vscode.Task(
      { type: "cnnspec", name },
      vscode.TaskScope.Workspace,
      name,
      "cnnspec",
      new vscode.ProcessExecution(command(), [name, editor.document.uri.fsPath]),
    );
    vscode.tasks.executeTask(task);
  });
}

/** Asks the server for a picture or a page of the model at the cursor's file, and shows it. */
async function shown(name) {
  const editor = vscode.window.activeTextEditor;
  if (!editor || !client) return;
  const made = await client.sendRequest("workspace/executeCommand", {
    command: `cnnspec.${name}`,
    arguments: [editor.document.uri.toString(), ""],
  });
  if (!made) vscode.window.showInformationMessage("There is no network in this file yet.");
}

async function activate(context) {
  const languages = vscode.workspace.getConfiguration("cnnspec").get("python") ? ["cnn", "python"] : ["cnn"];
  client = new LanguageClient(
    "cnnspec",
    "cnnspec",
    { command: command(), args: ["lsp"] },
    { documentSelector: languages.map((language) => ({ scheme: "file", language })) },
  );
  context.subscriptions.push(
    vscode.commands.registerCommand("cnnspec.check", () => inTerminal("check")),
    vscode.commands.registerCommand("cnnspec.train", () => inTerminal("train")),
    vscode.commands.registerCommand("cnnspec.drawHere", () => shown("draw")),
    vscode.commands.registerCommand("cnnspec.reportHere", () => shown("report")),
  );
  try {
    await client.start();
  } catch {
    client = undefined;
    const help = `${command()} could not be started: pip install 'cnnspec[lsp]', or say in the settings where it is.`;
    vscode.window.showErrorMessage(help);
  }
}

function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
