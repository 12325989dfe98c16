'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (query, within = document) => within.querySelector(query);
const $$ = (query, within = document) => [...within.querySelectorAll(query)];
const layers = data.rows.map(row => Object.fromEntries(data.columns.map((name, at) => [name, row[at]])));
for (const layer of layers) [layer.layer, layer.arguments] = data.kinds[layer.kind];
for (const layer of layers) for (const side of ['input', 'output']) layer[side] = data.shapes[layer[side]] ?? null;
const number = new Map(layers.map((layer, at) => [layer.key, at]));
const shown = value => value === null ? '?' : Array.isArray(value[0]) ? value.map(shown).join(', ') : value.join('×');
const counted = value => value === null || value === undefined ? '' : value.toLocaleString('en-US');
const make = (tag, attributes = {}, ...inside) => {
  const space = ['svg', 'rect', 'path', 'title'].includes(tag) ? 'http://www.w3.org/2000/svg' : 'http://www.w3.org/1999/xhtml';
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...inside);
  return element;
};
let chosen = -1, unit = null;

// --- one selection: line, box, row ---

// The boxes of a picture that show a module: its own, or that of the unit it is a copy of, or those in it, or of what it is in.
function boxes(picture, key) {
  for (let path = key; path; path = path.slice(0, Math.max(0, path.lastIndexOf('.')))) {
    for (const name of [path, original(path)]) {
      const found = $$(`[data-node="${CSS.escape(name)}"],[data-also~="${CSS.escape(name)}"]`, picture);
      if (found.length) return found;
      const inside = path === key ? $$(`[data-node^="${CSS.escape(name)}."]`, picture) : [];
      if (inside.length) return inside;
    }
  }
  return [];
}
function original(path) {
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const known = data.copies[path.slice(0, end)];
    if (known) return original(known + path.slice(end));
  }
  return path;
}
function choose(at, from) {
  if (at < 0 || at >= layers.length) return;
  chosen = at;
  unit = null;
  const layer = layers[at];
  for (const one of $$('.on')) one.classList.remove('on');
  for (const one of $$('[aria-current]')) one.removeAttribute('aria-current');
  const line = $(`.src [data-line="${layer.line}"]`), row = $(`tbody [data-key="${CSS.escape(layer.key)}"]`);
  for (const one of [line, row]) {
    if (!one) continue;
    one.classList.add('on');
    one.setAttribute('aria-current', 'true');
  }
  for (const picture of $$('.pic')) for (const box of boxes(picture, layer.key)) box.classList.add('on');
  if (line && from !== 'line') line.scrollIntoView({block: 'nearest'});
  // A page within another one has no address of its own.
  if (location.protocol !== 'about:') history.replaceState(null, '', '#' + layer.key);
  dispatchEvent(new CustomEvent('chosen', {detail: layer.line}));
  tell(layer);
}
function tell(layer) {
  const name = [layer.layer, layer.arguments && `(${layer.arguments})`].filter(Boolean).join('');
  $('#what').textContent = `${layer.key}  ${name}  ${shown(layer.input)} → ${shown(layer.output)}`;
  const sums = layer.worked < 0 ? [] : data.worked[layer.worked];
  $('#sums').replaceChildren(...sums.map(([what, how, result]) =>
    make('p', {}, make('em', {}, what), ` ${how}${how ? ' = ' : ''}`, make('b', {}, result))));
  if (layer.leaf === 0) $('#sums').append(make('p', {}, make('em', {}, 'parameters '), make('b', {}, counted(layer.parameters))));
  drawField(layer);
}

// --- receptive field ---

const spanAt = ([shift, spans], place) => {
  const span = spans[place % spans.length], turn = Math.floor(place / spans.length);
  return span && [span[0] + turn * shift, span[1] + turn * shift];
};
function drawField(layer) {
  const box = $('#field'), fields = layer.field < 0 ? [] : data.fields[layer.field], input = data.inputs[0].shape;
  box.replaceChildren();
  const sizes = input && input.length === fields.length + 1 ? input.slice(1) : [];
  if (!sizes.length || sizes.length > 2) return;
  const flat = Array.isArray(layer.output?.[0]) || layer.output?.length !== sizes.length + 1;
  const [height, width] = [1, ...sizes].slice(-2), [down, across] = [[0, [[0, 0]]], ...fields].slice(-2);
  const [rows, columns] = flat ? [1, 1] : [1, ...layer.output.slice(1)].slice(-2);
  unit = unit || [rows >> 1, columns >> 1];
  const seen = [spanAt(down, unit[0]), spanAt(across, unit[1])];
  if (!flat) box.append(outputMap(layer, rows, columns));
  if (seen.every(Boolean)) box.append(inputMap(height, width, seen, layer, fields));
}
function outputMap(layer, rows, columns) {
  const caption = make('figcaption', {}, `one of ${layer.output[0]} output maps, ${rows}×${columns}`);
  if (rows > 40 || columns > 40) {
    const slider = (at, most, name) => {
      const input = make('input', {type: 'range', min: 0, max: most - 1, value: unit[at], 'aria-label': name});
      input.oninput = () => { unit[at] = +input.value; drawField(layer); $(`#field [aria-label="${name}"]`).focus(); };
      return make('label', {}, name, input, make('span', {}, unit[at]));
    };
    return make('figure', {}, ...(rows > 1 ? [slider(0, rows, 'row')] : []), slider(1, columns, 'column'), caption);
  }
  const side = Math.min(14, Math.max(5, Math.floor(168 / columns)));
  const map = make('svg', {width: columns * side, height: rows * side, tabindex: 0, id: 'map', role: 'application',
    'aria-label': 'output map: arrow keys choose the unit'});
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
    const own = y === unit[0] && x === unit[1];
    const cell = make('rect', {x: x * side, y: y * side, width: side - 1, height: side - 1, fill: own ? 'var(--blue)' : 'var(--grid)'});
    cell.onclick = () => move(layer, y, x);
    map.append(cell);
  }
  map.onkeydown = event => {
    const step = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (!step) return;
    event.preventDefault();
    move(layer, Math.min(rows - 1, Math.max(0, unit[0] + step[0])), Math.min(columns - 1, Math.max(0, unit[1] + step[1])));
  };
  return make('figure', {}, map, caption);
}
function move(layer, y, x) {
  unit = [y, x];
  drawField(layer);
  $('#map').focus();
}
function inputMap(height, width, [rows, columns], layer, fields) {
  const line = height === 1, margin = [rows, columns].map((span, at) => Math.max(0, -span[0], span[1] - [height, width][at] + 1));
  const whole = [height + 2 * margin[0], width + 2 * margin[1]], scale = Math.min(line ? 420 : 240, 480) / Math.max(...whole);
  const tall = line ? 24 : whole[0] * scale, top = line ? 0 : margin[0] * scale;
  const map = make('svg', {width: whole[1] * scale, height: tall, viewBox: `0 0 ${whole[1] * scale} ${tall}`, role: 'img', id: 'seen'});
  const rect = (x, y, wide, high, more) => make('rect', {x, y, width: wide, height: high, ...more});
  const left = margin[1] * scale, start = (columns[0] + margin[1]) * scale, up = line ? 0 : (rows[0] + margin[0]) * scale;
  const wide = (columns[1] - columns[0] + 1) * scale, high = line ? tall : (rows[1] - rows[0] + 1) * scale;
  map.append(rect(0, 0, whole[1] * scale, tall, {fill: 'var(--panel)', stroke: 'var(--grid)', 'stroke-dasharray': '3 3'}),
    rect(left, top, width * scale, line ? tall : height * scale, {fill: 'var(--grid)', stroke: 'var(--line)'}),
    rect(start, up, wide, high, {fill: 'var(--amber)', 'fill-opacity': 0.35, stroke: 'var(--amber)', 'stroke-width': 2}));
  const sides = fields.map((field, at) => { const span = [rows, columns].slice(-fields.length)[at]; return span[1] - span[0] + 1; });
  const apart = fields.map(field => field[0] / field[1].length);
  const told = apart.every(one => one === 0) ? 'it sees all of the input' : `sees ${sides.join('×')} of the ${shown(data.inputs[0].shape.slice(1))} of the input; neighbours are ${[...new Set(apart)].map(one => +one.toFixed(3)).join('×')} apart`;
  return make('figure', {}, map, make('figcaption', {}, told));
}

// --- costs ---

const table = $('#costs table'), many = layers.length > 60;
let order = null, open = new Set(), all = !many;
const field = layer => layer.field < 0 ? null : data.fields[layer.field].map(([, spans]) => {
  const known = spans.filter(Boolean).map(span => span[1] - span[0] + 1);
  return known.length ? Math.max(...known) : 0;
});
// Whether every place sees all of the input, as where all of it is pooled.
const seesAll = layer => {
  const fields = layer.field < 0 ? [] : data.fields[layer.field], input = data.inputs[0].shape || [];
  const sizes = input.slice(input.length - fields.length);
  return fields.length > 0 && fields.every(([shift, [span]], at) => shift === 0 && span && span[0] <= 0 && span[1] >= sizes[at] - 1);
};
const columns = [
  ['key', layer => layer.key], ['layer', layer => layer.layer],
  ['output', layer => shown(layer.output)], ['parameters', layer => layer.parameters],
  ['multiplications', layer => layer.macs], ['sees', layer => { const sizes = field(layer); return sizes ? Math.min(...sizes) : null; }],
];
const parent = key => key.slice(0, Math.max(0, key.lastIndexOf('.')));
const nearest = key => { for (key = parent(key); key && !number.has(key); key = parent(key)); return key; };
const holds = new Set(layers.map(layer => nearest(layer.key)));
function visible() {
  if (order || all) {
    const found = layers.filter(layer => layer.leaf);
    if (!order) return found;
    const value = columns[order.at][1], sign = order.up ? 1 : -1;
    return found.map((layer, at) => [value(layer), at, layer]).sort((a, b) => {
      if (a[0] === b[0]) return a[1] - b[1];
      if (a[0] === null) return 1;
      if (b[0] === null) return -1;
      return (typeof a[0] === 'number' ? a[0] - b[0] : String(a[0]).localeCompare(String(b[0]), 'en', {numeric: true})) * sign;
    }).map(one => one[2]);
  }
  return layers.filter(layer => { for (let key = nearest(layer.key); key; key = nearest(key)) if (!open.has(key)) return false; return true; });
}
function fill() {
  const most = {parameters: Math.max(1, data.parameters), multiplications: Math.max(1, data.macs || 0)};
  $('tbody', table).replaceChildren(...visible().map(layer => {
    const row = make('tr', {'data-key': layer.key, tabindex: -1, class: layers[chosen] === layer ? 'on' : null});
    const depth = order || all ? 0 : layer.key.split('.').length - 1, block = !layer.leaf && holds.has(layer.key) && !order && !all;
    columns.forEach(([name, value], at) => {
      const told = value(layer), cell = make(at ? 'td' : 'th', at ? {} : {scope: 'row', style: `padding-left:${10 + 14 * depth}px`});
      if (!at && block) {
        const fold = make('button', {class: 'fold', 'aria-expanded': open.has(layer.key), 'aria-label': `open ${layer.key}`}, open.has(layer.key) ? '▾' : '▸');
        fold.onclick = event => { event.stopPropagation(); open.has(layer.key) ? open.delete(layer.key) : open.add(layer.key); fill(); };
        cell.append(fold);
      }
      cell.append(name === 'sees' && seesAll(layer) ? 'all' : typeof told === 'number' ? counted(told) : told ?? '–');
      if (most[name]) cell.append(make('span', {class: 'room'}, make('span', {class: 'share', style: `width:${told ? Math.max(1, 64 * told / most[name]) : 0}px`})));
      row.append(cell);
    });
    row.onclick = () => choose(number.get(layer.key), 'row');
    return row;
  }));
}
function heads() {
  $('thead', table).replaceChildren(make('tr', {}, ...columns.map(([name], at) => {
    const sort = order && order.at === at ? (order.up ? 'ascending' : 'descending') : 'none';
    const button = make('button', {}, name), head = make('th', {scope: 'col', 'aria-sort': sort}, button);
    button.onclick = () => {
      const first = at < 3;
      order = !order || order.at !== at ? {at, up: first} : order.up === first ? {at, up: !first} : null;
      heads();
      fill();
      $$('thead button', table)[at].focus();
    };
    return head;
  })));
}
function total() {
  const leaves = layers.filter(layer => layer.leaf).length;
  $('tfoot', table).replaceChildren(make('tr', {}, make('th', {scope: 'row'}, 'total'), make('td', {}, `${leaves} layers`),
    make('td'), ...[data.parameters, data.macs].map(value => make('td', {}, counted(value), make('span', {class: 'room'}))), make('td')));
}
const quoted = value => /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
const csv = () => [['key', 'layer', 'arguments', 'output', 'parameters', 'macs', 'field'],
  ...layers.filter(layer => layer.leaf).map(layer => [layer.key, layer.layer, layer.arguments, shown(layer.output), layer.parameters, layer.macs ?? '', field(layer)?.join('×') ?? ''])]
  .map(row => row.map(value => quoted(String(value))).join(',')).join('\n') + '\n';
function save(name, type, text) {
  const link = make('a', {href: URL.createObjectURL(new Blob([text], {type})), download: name});
  link.click();
  URL.revokeObjectURL(link.href);
}

// --- tabs, clicks, keys ---

function show(style) {
  for (const name of ['blocks', 'stack']) {
    $('#' + name).hidden = name !== style;
    $('#tab-' + name).setAttribute('aria-selected', name === style);
    $('#tab-' + name).tabIndex = name === style ? 0 : -1;
  }
}
function wire() {
  for (const picture of $$('.pic')) for (const box of $$('[data-node]', picture)) {
    const at = number.get(box.dataset.node);
    if (at === undefined) continue;
    box.setAttribute('tabindex', '0');
    box.setAttribute('role', 'button');
    box.setAttribute('aria-label', $('title', box)?.textContent ?? box.dataset.node);
    box.addEventListener('click', event => { event.stopPropagation(); choose(at, 'box'); });
  }
  for (const line of $$('.src [data-line]')) {
    const of = layers.findIndex(layer => layer.line === +line.dataset.line);
    if (of >= 0) line.addEventListener('click', () => choose(of, 'line'));
  }
  for (const name of ['blocks', 'stack']) {
    $('#tab-' + name).onclick = () => show(name);
    $('#tab-' + name).onkeydown = event => {
      if (!['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
      const other = name === 'blocks' ? 'stack' : 'blocks';
      show(other);
      $('#tab-' + other).focus();
    };
  }
  $('#save').onclick = () => save(`${data.name}.svg`, 'image/svg+xml', new XMLSerializer().serializeToString($('.pic:not([hidden]) svg')));
  $('#csv').onclick = () => save(`${data.name}.csv`, 'text/csv', csv());
  if ($('#copy')) $('#copy').onclick = () => {
    getSelection().selectAllChildren($('#python'));
    navigator.clipboard?.writeText($('#python').textContent);
  };
  $('#unfold').hidden = !many;
  $('#unfold').onclick = () => { all = !all; order = null; $('#unfold').textContent = all ? 'by block' : 'all layers'; heads(); fill(); };
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(input|select|textarea)$/i.test(event.target.tagName)) return;
    const target = event.target.closest?.('[data-node],[data-line]');
    if (target && (event.key === 'Enter' || event.key === ' ')) {
      event.preventDefault();
      target.dispatchEvent(new MouseEvent('click', {bubbles: true}));
    }
    if (event.key === 'j' || event.key === 'k') step(event.key === 'j' ? 1 : -1);
  });
}
// For an editor beside the page: the first layer of a line.
function chooseLine(line) {
  const at = layers.findIndex(layer => layer.line === line);
  if (at >= 0 && layers[chosen]?.line !== line) choose(at, 'line');
}
function step(by) {
  let at = chosen;
  do at += by; while (at >= 0 && at < layers.length && !layers[at].leaf);
  if (at >= 0 && at < layers.length) choose(at, 'key');
}
const first = () => {
  const asked = number.get(decodeURIComponent(location.hash.slice(1)));
  return asked ?? number.get(data.wrong[0]) ?? layers.findIndex(layer => layer.leaf);
};
if (data.macs !== null) $('#macs').replaceWith(make('b', {}, counted(data.macs)), ' multiplications');
heads();
fill();
total();
wire();
show($('#picture').dataset.first);
choose(first(), 'start');
window.addEventListener('hashchange', () => { const at = first(); if (at !== chosen) choose(at, 'start'); });
