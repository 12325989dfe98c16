// A visit to the page of LeNet: what is chosen after each click and key, what the table and the maps show.
const answer = {};
const at = () => ({
  line: $$('.src .on').map(one => +one.dataset.line), row: $$('tbody .on').map(one => one.dataset.key),
  boxes: $$('#blocks .on').map(one => one.dataset.node), hash: location.hash,
});
const key = (name, target = document.body) => target.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true, cancelable: true}));
const click = one => one.dispatchEvent(new MouseEvent('click', {bubbles: true}));
answer.start = at();
click($('.src [data-line="9"]'));
answer.line = at();
answer.sums = $('#sums').innerText.trim().split('\n').filter(Boolean);
answer.heading = $('#what').textContent;
answer.seen = $('#seen').nextSibling.textContent;
key('j');
answer.rider = at();
key('k'); key('k');
answer.back = at();
click($('#blocks [data-node="7"]'));
answer.box = at();
click($('tbody [data-key="3"]'));
answer.row = at();
key('Enter', $('#blocks [data-node="9"]'));
answer.enter = at();
click($('tbody [data-key="3"]'));
const amber = () => [...$$('#seen rect')].pop().getAttribute('x');
const before = amber();
key('ArrowLeft', $('#map'));
answer.moved = before - amber() > 0;
answer.unit = unit;
answer.style = [$('#blocks').hidden, $('#stack').hidden];
click($('#tab-stack'));
answer.stack = [$('#blocks').hidden, $('#stack').hidden];
answer.headline = $('header').innerText.replace(/\s+/g, ' ');
click($$('thead button')[3]);
answer.sorted = $$('tbody tr').map(row => row.dataset.key).slice(0, 3);
answer.sort = $$('thead th')[3].getAttribute('aria-sort');
click($$('thead button')[3]);
answer.ascending = $$('thead th')[3].getAttribute('aria-sort');
answer.total = $('tfoot').innerText.split(/\s+/).filter(Boolean);
answer.csv = csv().split('\n').slice(0, 2);
answer.buttons = $$('#blocks [data-node]:not([data-node=input])').every(box => box.getAttribute('role') === 'button' && box.getAttribute('aria-label') && box.tabIndex === 0);
answer.requests = performance.getEntriesByType('resource').length;
answer.wide = document.documentElement.scrollWidth > innerWidth;
answer.errors = errors;
document.getElementById('answer').textContent = JSON.stringify(answer);
