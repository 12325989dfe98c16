'use strict';
const $ = query => document.querySelector(query);
const start = JSON.parse($('#start').textContent);
const make = (tag, attributes = {}, ...inside) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
};
// Words in backticks as code.
const rich = text => text.split('`').map((part, at) => at % 2 ? make('code', {}, part) : part);
// Where answers come from: the server, or the checker in a worker of this page.
const worker = start.worker ? new Worker(start.worker, {type: 'module'}) : null;
const waiting = new Map();
let asked = 0;
if (worker) {
  worker.onmessage = ({data}) => {
    const [done, failed] = waiting.get(data.id);
    waiting.delete(data.id);
    if ('answer' in data) done(data.answer); else failed(new Error(data.error));
  };
  worker.onerror = event => told('bad', `the checker does not begin: ${event.message ?? 'its files are missing'}`);
}
async function ask(question, given = {}) {
  if (worker) return new Promise((done, failed) => { waiting.set(++asked, [done, failed]); worker.postMessage({id: asked, question, given}); });
  const response = await fetch(question, {method: 'POST', headers: {'X-Token': start.token}, body: JSON.stringify(given)});
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

// --- share links: the text, compressed, behind the # ---

const through = async (bytes, stream) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
async function packed(text) {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream('deflate-raw'));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
async function unpacked(word) {
  const bytes = Uint8Array.from(atob(word.replaceAll('-', '+').replaceAll('_', '/')), one => one.charCodeAt(0));
  return new TextDecoder().decode(await through(bytes, new DecompressionStream('deflate-raw')));
}

// --- the editor ---

const {EditorState, EditorView, StateEffect, StateField, Decoration, WidgetType, keymap} = CM;
let known = {layers: [], words: [], examples: [], course: [], lessons: []}, last = null, lesson = null, example = '', timer = 0, turn = 0, showing = null;
const setHints = StateEffect.define();
class Hint extends WidgetType {
  constructor(text) { super(); this.text = text; }
  eq(other) { return other.text === this.text; }
  toDOM() { return make('span', {class: 'to', 'aria-hidden': 'true'}, this.text.replace('->', '→')); }
}
const hints = StateField.define({
  create: () => Decoration.none,
  update(value, change) {
    value = value.map(change.changes);
    for (const effect of change.effects) if (effect.is(setHints)) value = effect.value;
    return value;
  },
  provide: field => EditorView.decorations.from(field),
});
const language = CM.StreamLanguage.define({
  token(stream) {
    if (stream.match(/#.*/)) return 'comment';
    if (stream.match(/"[^"]*"?/)) return 'string';
    if (stream.match(/\d[\d_.]*(e[-+]?\d+)?/i)) return 'number';
    const word = stream.match(/[A-Za-z_]\w*/);
    if (!word) { stream.next(); return null; }
    if (known.words.includes(word[0])) return 'keyword';
    return known.layers.includes(word[0]) ? 'typeName' : null;
  },
  languageData: {commentTokens: {line: '#'}},
});
const colors = CM.HighlightStyle.define([
  {tag: CM.tags.keyword, color: 'var(--blue)', fontWeight: '600'}, {tag: CM.tags.comment, color: 'var(--soft)'},
  {tag: CM.tags.typeName, color: 'var(--good)'}, {tag: CM.tags.string, color: 'var(--amber)'},
]);
const kinds = {layer: 'class', parameter: 'property', value: 'constant', setting: 'property', block: 'class', model: 'class'};
async function completions(context) {
  const word = context.matchBefore(/[A-Za-z_]\w*/);
  if (!word && !context.explicit) return null;
  const {options} = await ask('complete', {text: context.state.doc.toString(), at: context.pos, example});
  const shown = options.map(({name, kind, about, snippet}) => {
    const one = {label: name, type: kinds[kind] ?? kind, info: about || undefined};
    return snippet ? CM.snippetCompletion(snippet, one) : one;
  });
  return {from: word ? word.from : context.pos, options: shown, validFor: /^\w*$/};
}
const editor = new EditorView({
  parent: $('#editor'),
  state: EditorState.create({doc: '', extensions: [
    CM.lineNumbers(), CM.history(), CM.drawSelection(), CM.highlightActiveLine(), CM.bracketMatching(), CM.closeBrackets(), CM.search(),
    CM.indentUnit.of('    '), CM.lintGutter(), CM.autocompletion({override: [completions]}), language, CM.syntaxHighlighting(colors), hints,
    keymap.of([...CM.completionKeymap, ...CM.lintKeymap, ...CM.searchKeymap, ...CM.historyKeymap, ...CM.defaultKeymap]),
    EditorView.contentAttributes.of({'aria-label': 'The network as text'}),
    EditorView.updateListener.of(update => {
      if (update.docChanged) later();
      else if (update.selectionSet) frame()?.contentWindow?.chooseLine?.(update.state.doc.lineAt(update.state.selection.main.head).number);
    }),
  ]}),
});
const text = () => editor.state.doc.toString();
function put(content) {
  editor.dispatch({changes: {from: 0, to: editor.state.doc.length, insert: content}});
  later(0);
}
function later(pause = 150) {
  clearTimeout(timer);
  timer = setTimeout(check, pause);
}

// --- a check, and what is shown of it ---

async function check() {
  const own = ++turn, now = text(), model = $('#models').value;
  try {
    const found = await ask('check', {text: now, size: $('#size').value, lesson: lesson?.name ?? '', example, model});
    if (own !== turn || now !== text()) return;
    tell(found, now);
    // One page is made at a time, and none for a text that is no more there.
    while (showing) await showing.catch(() => 0);
    if (own !== turn) return;
    showing = ask('show', {text: now, example, model});
    const shown = await showing.finally(() => { showing = null; });
    if (own !== turn) return;
    $('#sizes').hidden = !shown.sizes;
    $('#sizes p').textContent = shown.sizes;
    last.page = shown.page;
    $('#note').textContent = shown.note;
    if (shown.page) show(shown.page); else $('#shown').classList.add('stale');
  } catch (error) {
    if (own === turn) told('bad', `the checker does not answer: ${error.message}`);
  }
}
function tell(found, now) {
  last = {...found, text: now, page: ''};
  editor.dispatch({effects: setHints.of(Decoration.set(found.hints.map(one => Decoration.widget({widget: new Hint(one.text), side: 1}).range(one.at)), true))});
  editor.dispatch(CM.setDiagnostics(editor.state, found.findings.map(one => ({
    from: one.from, to: one.to, severity: one.severity, source: one.code, message: [one.message, ...one.notes].join('\n'),
    actions: one.fixes.map(fix => ({name: fix.message, apply: () => apply(fix)})),
  }))));
  const errors = found.findings.filter(one => one.severity === 'error').length;
  told(errors ? 'bad' : 'good', errors ? `${errors} error${errors === 1 ? '' : 's'}` : found.models.length ? 'no errors' : 'no model yet');
  $('#findings').replaceChildren(...found.findings.map(listed));
  $('#what-if').textContent = found.what_if;
  $('#of-model').hidden = found.models.length < 2;
  $('#models').replaceChildren(...found.models.map(name => make('option', {}, name)));
  $('#models').value = found.model;
  if (lesson) judge(found.verdict);
}
function told(kind, words) {
  $('#state').className = kind;
  $('#state').textContent = words;
}
function listed(one) {
  const code = make('button', {class: 'code', 'aria-label': `explain ${one.code}`, 'aria-expanded': 'false'}, one.code);
  const page = make('pre', {class: 'explained', hidden: '', tabindex: '0'});
  code.onclick = async () => {
    page.hidden = !page.hidden;
    code.setAttribute('aria-expanded', String(!page.hidden));
    page.textContent ||= (await ask('explain', {code: one.code})).text;
  };
  const fixes = one.fixes.map(fix => {
    const button = make('button', {class: 'fix'}, ...rich(`Fix: ${fix.message}`));
    button.onclick = () => apply(fix);
    return button;
  });
  return make('li', {class: one.severity}, make('p', {}, code, ...rich(`line ${one.line}: ${one.message}`)), ...one.notes.map(note => make('p', {class: 'note'}, ...rich(note))), ...fixes, page);
}
// A fix is for the text that was checked; where another was typed since, the next check offers it again.
function apply(fix) {
  if (last.text === text()) editor.dispatch({changes: fix.edits});
  editor.focus();
}
const frame = () => $('#shown iframe:not([hidden])');
// The new page is put beside the old one, and takes its place when it is there: nothing flickers.
function show(html) {
  const next = make('iframe', {title: 'picture, arithmetic and costs', hidden: ''});
  next.srcdoc = html.replace('</style>', '.side,footer{display:none}main{grid-template-columns:minmax(0,1fr)!important}</style>');
  for (const one of document.querySelectorAll('#shown iframe[hidden]')) one.remove();
  next.onload = () => {
    if (!next.isConnected) return;
    frame()?.remove();
    next.hidden = false;
    $('#shown').classList.remove('stale');
    next.contentWindow.addEventListener('chosen', event => {
      const line = event.detail;
      if (line > 0 && line <= editor.state.doc.lines && event.from !== 'line') {
        const place = editor.state.doc.line(line).from;
        if (editor.state.doc.lineAt(editor.state.selection.main.head).number !== line) editor.dispatch({selection: {anchor: place}, scrollIntoView: true});
      }
    });
  };
  $('#shown').append(next);
}

// --- lessons ---

function open(chosen) {
  lesson = chosen;
  $('#lesson').hidden = !chosen;
  if (!chosen) return later(0);
  let shown = 0;
  const more = make('button', {}, 'Hint'), list = make('div', {'aria-live': 'polite'});
  more.onclick = () => {
    if (shown < chosen.hints.length) list.append(make('p', {class: 'note'}, ...rich(chosen.hints[shown++])));
    else list.append(make('pre', {class: 'worked'}, chosen.worked));
    more.hidden = list.querySelector('.worked') !== null;
    more.textContent = shown < chosen.hints.length ? 'Another hint' : 'The arithmetic';
  };
  const task = make('p', {}, make('b', {}, 'Task: '), ...rich(chosen.task));
  const shows = [...(chosen.steps.length ? [stepped(chosen.steps)] : []), ...(chosen.curves.length ? [drawn(chosen.curves)] : [])];
  $('#lesson').replaceChildren(make('h2', {}, chosen.title), make('p', {}, ...rich(chosen.text)), ...shows, task, make('p', {id: 'verdict', role: 'status'}), more, list);
  put(chosen.start);
}
// A kernel goes over an image: the window, the sum, and what is filled in so far.
function stepped(steps) {
  let which = 0, at = 0;
  const box = make('div', {class: 'steps'}), told = make('p', {'aria-live': 'polite'}), tables = make('div', {class: 'tables'});
  const next = make('button', {}, 'Next place'), turn = make('button', {});
  const table = (caption, rows, kind, marked = () => null) => make('table', {class: kind}, make('caption', {}, caption), ...rows.map((row, y) =>
    make('tr', {}, ...row.map((value, x) => { const mark = marked(y, x); return make('td', mark === null ? {} : {class: 'on'}, String(value), ...(mark ? [make('sub', {}, mark)] : [])); }))));
  const draw = () => {
    const {image, kernel, lines, name} = steps[which], wide = image[0].length - kernel[0].length + 1;
    const top = Math.floor((at - 1) / wide), left = (at - 1) % wide, within = (y, x) => at > 0 && y >= top && y < top + kernel.length && x >= left && x < left + kernel[0].length;
    const results = lines.map((line, index) => index < at ? line.split('= ')[1] : '');
    const rows = Array.from({length: lines.length / wide}, (_, y) => results.slice(y * wide, (y + 1) * wide));
    tables.replaceChildren(table('image', image, '', (y, x) => within(y, x) ? `·${kernel[y - top][x - left]}` : null), table('kernel', kernel, ''), table(name, rows, 'made', (y, x) => y === top && x === left && at > 0 ? '' : null));
    told.textContent = at ? lines[at - 1] : 'The kernel is not laid on yet.';
    next.textContent = at < lines.length ? 'Next place' : 'Again';
    turn.textContent = `Show ${steps[1 - which].name}`;
  };
  next.onclick = () => { at = at < steps[which].lines.length ? at + 1 : 0; draw(); };
  turn.onclick = () => { which = 1 - which; at = 0; draw(); };
  draw();
  box.append(tables, told, next, ' ', turn);
  return box;
}
// Accuracies of a recorded run, from 0 to 1.
function drawn(curves) {
  const inside = curves.map(([name, values], index) => {
    const points = values.map((value, at) => [40 + at * 200 / (values.length - 1), 110 - value * 100]);
    const [, y] = points.at(-1);
    return `<polyline points="${points.map(point => point.join()).join(' ')}" class="curve${index}"/><text x="246" y="${y + (index ? 10 : -2)}">${name} ${values.at(-1)}</text>`;
  });
  const figure = make('figure');
  figure.innerHTML = `<svg viewBox="0 0 340 130" role="img" aria-label="accuracy by epoch, recorded"><path d="M40 10V110H240" /><text x="8" y="16">1.0</text><text x="8" y="112">0.0</text><text x="40" y="126">epoch 1</text><text x="200" y="126">${curves[0][1].length}</text>${inside.join('')}</svg><figcaption>accuracy of this recipe on the 5,000 images that come along, as recorded</figcaption>`;
  return figure;
}
function judge(verdict) {
  const done = verdict?.done;
  $('#verdict').className = done ? 'good' : '';
  $('#verdict').textContent = done ? '✓ Done' : verdict?.missing.join('; ') ?? '';
  if (done && !$('#lesson .worked')) {
    $('#lesson').append(make('pre', {class: 'worked'}, lesson.worked));
    $('#lesson > button').hidden = true;
    const next = known.lessons[known.lessons.indexOf(lesson) + 1];
    if (next) {
      const go = make('button', {class: 'next'}, `Next: ${next.title}`);
      go.onclick = () => { $('#lessons').value = next.name; open(next); };
      $('#lesson').append(go);
    }
  }
}

// --- what the head offers ---

function save(name, type, content) {
  const link = make('a', {href: URL.createObjectURL(new Blob([content], {type})), download: name});
  link.click();
  URL.revokeObjectURL(link.href);
}
$('#size').oninput = () => later();
$('#format').onclick = async () => { const now = (await ask('format', {text: text()})).text; if (now !== text()) put(now); };
$('#share').onclick = async () => {
  history.replaceState(null, '', `#t=${await packed(text())}`);
  const link = new URL(location.href);
  link.search = '';
  navigator.clipboard?.writeText(link.href).catch(() => {});
  told('good', worker ? 'the link is in the address and copied' : 'the link is copied: cnnspec playground LINK opens it');
};
$('#models').onchange = () => later(0);
$('#download').onchange = async event => {
  const kind = event.target.value, name = last?.model || 'network';
  event.target.value = '';
  if (kind === '.cnn') save(`${name}.cnn`, 'text/plain', text());
  if (kind === '.py') {
    const source = (await ask('python', {text: text(), example, model: $('#models').value})).text;
    if (source) save(`${name}.py`, 'text/x-python', source); else told('bad', 'a network with errors has no Python');
  }
  if (kind === '.html' && last?.page) save(`${name}.html`, 'text/html', last.page);
  if (kind === '.svg' && last?.page) {
    const picture = new DOMParser().parseFromString(last.page, 'text/html').querySelector('#blocks svg');
    save(`${name}.svg`, 'image/svg+xml', new XMLSerializer().serializeToString(picture));
  }
};
$('#examples').onchange = async event => {
  const name = event.target.value;
  if (!name) return;
  $('#lessons').value = '';
  $('#lesson').hidden = true;
  lesson = null;
  example = name;
  put((await ask('example', {name})).text);
};
$('#lessons').onchange = event => { example = ''; $('#examples').value = ''; open(known.lessons.find(one => one.name === event.target.value) ?? null); };
// What is typed outlives a reload of this tab; a link that is opened in it later comes first.
const place = `text ${start.token ?? ''}`;
function keep() {
  try { sessionStorage.setItem(place, JSON.stringify({text: text(), example, lesson: lesson?.name, hash: location.hash})); } catch { /* a browser that keeps nothing */ }
}
function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(place));
    return found?.hash === location.hash ? found : null;
  } catch { return null; }
}
function comeBack(found) {
  const chosen = known.lessons.find(one => one.name === found.lesson);
  example = found.example;
  $('#examples').value = example;
  if (chosen) { $('#lessons').value = chosen.name; open(chosen); }
  put(found.text);
}
async function begin() {
  known = await ask('start');
  const groups = [['of the course', known.course], ['more', known.examples.filter(one => !known.course.includes(one))]];
  $('#examples').append(...groups.map(([label, names]) => make('optgroup', {label}, ...names.map(name => make('option', {}, name)))));
  $('#lessons').append(...known.lessons.map((one, at) => make('option', {value: one.name}, `${at + 1}. ${one.title}`)));
  const before = kept();
  addEventListener('pagehide', keep);
  if (before) return comeBack(before);
  const shared = location.hash.match(/^#t=([\w-]+)$/);
  let content = start.text;
  if (shared) content = await unpacked(shared[1]).catch(() => '# The link is damaged: there is no text in it.\n');
  if (!content) { example = 'lenet'; $('#examples').value = 'lenet'; content = (await ask('example', {name: 'lenet'})).text; }
  put(content);
}
begin().catch(error => told('bad', `the checker does not answer: ${error.message}`));
