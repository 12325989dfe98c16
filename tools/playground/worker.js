// The checker, in a worker of the page: a question in, an answer out, as the server gives it.
import {loadPyodide} from './pyodide/pyodide.mjs';

async function begin() {
  const [python, archive] = await Promise.all([loadPyodide(), fetch('cnnspec.zip').then(answer => answer.arrayBuffer())]);
  python.unpackArchive(archive, 'zip', {extractDir: '/home/pyodide'});
  return python.pyimport('cnnspec.editor.playground.answers').answer_text;
}
const ready = begin();
onmessage = async ({data: {id, question, given}}) => {
  try {
    const answer = await ready;
    postMessage({id, answer: JSON.parse(answer(question, JSON.stringify(given)))});
  } catch (error) {
    postMessage({id, error: String(error.message ?? error).trim().split('\n').at(-1)});
  }
};
