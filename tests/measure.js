// For each picture of the page: texts that touch each other, that are cut by the edge, or that cross the edge of a shape.
const near = 0.5, found = [];
const inside = (a, b) => a.x >= b.x - 1 && a.y >= b.y - 1 && a.x + a.width <= b.x + b.width + 1 && a.y + a.height <= b.y + b.height + 1;
const meets = (a, b) => a.x + near < b.x + b.width && b.x + near < a.x + a.width && a.y + near < b.y + b.height && b.y + near < a.y + a.height;
// Of a line of text what is above and below its letters is empty.
const trimmed = b => ({x: b.x + 1, y: b.y + b.height * 0.22, width: b.width - 2, height: b.height * 0.6});
const pointsOf = line => Array.from({length: Math.ceil(line.getTotalLength() / 2) + 1}, (_, i) => line.getPointAtLength(2 * i));
for (const svg of document.querySelectorAll('svg')) {
  const wrong = [], view = svg.viewBox.baseVal;
  const texts = [...svg.querySelectorAll('text')].filter(t => !t.hasAttribute('transform')).map(t => [t.textContent, trimmed(t.getBBox())]);
  const shapes = [...svg.querySelectorAll('rect')].slice(1).filter(r => r.getAttribute('fill') !== 'none').map(r => r.getBBox());
  const sides = [...svg.querySelectorAll('path')].filter(p => p.getAttribute('fill') !== 'none').map(p => p.getBBox());
  const points = [...svg.querySelectorAll('path, line')].filter(p => p.getAttribute('fill') === 'none' || p.tagName === 'line').flatMap(pointsOf);
  texts.forEach(([text, box], i) => {
    if (!inside(box, view)) wrong.push(`"${text}" is cut`);
    for (const [other, there] of texts.slice(i + 1)) if (meets(box, there)) wrong.push(`"${text}" touches "${other}"`);
    for (const side of sides) if (meets(box, side)) wrong.push(`"${text}" lies on a side`);
    if (points.some(p => p.x > box.x && p.x < box.x + box.width && p.y > box.y && p.y < box.y + box.height)) wrong.push(`a line runs through "${text}"`);
    for (const shape of shapes) if (meets(box, shape) && !inside(box, shape)) wrong.push(`"${text}" crosses a shape`);
  });
  found.push(wrong);
}
document.getElementById('answer').textContent = JSON.stringify(found);
