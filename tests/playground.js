// A visit to the playground: an example, typing, a fix, the explanation, a lesson, a link to share, another size.
const answer = {errors: caught};
const sleep = milliseconds => new Promise(done => setTimeout(done, milliseconds));
async function until(holds, what) {
  for (let turn = 0; turn < 300; turn++) {
    if (holds()) return;
    await sleep(30);
  }
  throw new Error(`waited for ${what}: ${$('#state').textContent}`);
}
const pick = (query, value) => { $(query).value = value; $(query).dispatchEvent(new Event('change')); };
const type = (from, to) => {
  const at = text().indexOf(from);
  editor.dispatch({changes: {from: at, to: at + from.length, insert: to}});
};
async function visit() {
  await until(() => $('#state').textContent === 'no errors' && frame(), 'the first check');
  answer.hints = [...document.querySelectorAll('.to')].map(one => one.textContent);
  answer.heading = frame().contentDocument.querySelector('h1').textContent;
  answer.examples = [...$('#examples').querySelectorAll('option')].slice(1, 4).map(one => one.textContent);
  await until(() => !$('#sizes').hidden, 'the sizes');
  answer.sizes = $('#sizes p').textContent;
  editor.dispatch({selection: {anchor: text().indexOf('Conv2d(16')}});
  await sleep(100);
  answer.chosen = frame().contentDocument.querySelector('#what').textContent;
  type('AvgPool2d(2)                           -> [16, 5, 5]', 'AvgPool2d(5, stride=2)');
  await until(() => $('#state').className === 'bad', 'the error');
  answer.state = $('#state').textContent;
  answer.message = $('#findings p').textContent;
  answer.fixes = [...document.querySelectorAll('.fix')].map(one => one.textContent);
  $('.code').click();
  await until(() => $('.explained').textContent, 'the explanation');
  answer.explained = $('.explained').textContent.slice(0, 12);
  $('.fix').click();
  await until(() => $('#state').textContent === 'no errors', 'the fix');
  answer.fixed = text().includes('AvgPool2d(2, stride=2)');
  type('-> [6, 28, 28]', ''); type('-> [6, 14, 14]', ''); type('-> [16, 10, 10]', ''); type('16*5*5 -> 120', '120');
  $('#size').value = '32x32';
  $('#size').dispatchEvent(new Event('input'));
  await until(() => $('#what-if').textContent, 'another size');
  answer.other = $('#what-if').textContent;
  const before = text();
  $('#share').click();
  await until(() => location.hash.startsWith('#t='), 'the link');
  answer.shared = await unpacked(location.hash.slice(3)) === before;
  answer.link = location.hash;
  answer.text = before;
  pick('#examples', 'resnet');
  await until(() => !$('#of-model').hidden && frame().contentDocument.querySelector('h1').textContent === 'ResNet18', 'the example');
  pick('#models', 'ResNet34');
  await until(() => frame().contentDocument.querySelector('h1').textContent === 'ResNet34', 'the other model');
  pick('#lessons', 'correlation');
  await until(() => $('#verdict')?.textContent.startsWith('the output'), 'the lesson');
  type('kernel_size=3', 'kernel_size=2');
  await until(() => $('#verdict').textContent === '✓ Done', 'the end of the lesson');
  const [next, turn] = document.querySelectorAll('.steps button'), filled = () => [...document.querySelectorAll('.steps .made td')].map(one => one.textContent).filter(Boolean).join(' ');
  next.click();
  answer.steps = [$('.steps p').textContent, filled()];
  next.click(); next.click(); next.click();
  answer.steps.push(filled());
  turn.click();
  next.click(); next.click(); next.click(); next.click();
  answer.steps.push(filled());
  $('.next').click();
  await until(() => $('#verdict').textContent.startsWith('the output is 16×24×24'), 'the next lesson');
  answer.next = $('#lessons').value;
  pick('#lessons', 'training');
  await until(() => $('#verdict').textContent === '2 errors to mend', 'the lesson of training');
  answer.curves = document.querySelectorAll('#lesson polyline').length;
  put('');
  await until(() => $('#state').textContent !== 'no errors', 'an empty text');
  put('model {{{ \u{1F600} <b onclick=alert(1)>');
  await until(() => $('#state').className === 'bad', 'nonsense');
  answer.foreign = performance.getEntriesByType('resource').map(one => new URL(one.name).host).filter(host => host !== location.host);
  answer.wide = document.documentElement.scrollWidth > innerWidth;
  answer.unnamed = [...document.querySelectorAll('select, input, button')].filter(one => !(one.closest('label') || one.textContent.trim() || one.getAttribute('aria-label'))).length;
}
async function first() {
  await visit();
  pick('#lessons', 'norm');
  put('model Kept {\n    input [4]\n    ReLU\n}\n');
  sessionStorage.setItem('answer', JSON.stringify(answer));
  location.reload();
  await sleep(60000);
}
async function second() {
  Object.assign(answer, JSON.parse(sessionStorage.getItem('answer')), {errors: caught});
  await until(() => $('#verdict')?.textContent.startsWith('the output is 4'), 'what was typed before the reload');
  answer.kept = text();
}
(sessionStorage.getItem('answer') ? second() : first()).catch(error => { answer.failed = String(error); }).finally(() => fetch('seen', {method: 'POST', headers: {'X-Token': start.token ?? ''}, body: JSON.stringify(answer)}));
