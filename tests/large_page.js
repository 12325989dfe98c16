// A visit to the page of a network of many blocks: what is folded, and whether every module finds a box in both pictures.
const click = one => one.dispatchEvent(new MouseEvent('click', {bubbles: true}));
const seen = () => $$('tbody tr').length, found = {start: seen()};
const lost = key => !boxes($('#stack'), key).length || !boxes($('#blocks'), key).length;
click($('tbody [data-key="layer1"] .fold'));
found.open = seen();
click($('#unfold'));
found.all = seen();
found.lost = layers.map(layer => layer.key).filter(lost);
found.copy = boxes($('#stack'), 'layer1.1.0.body.0.0').map(box => box.dataset.node);
choose(number.get('layer1.0.0.body.0.0'), '');
found.sliders = $$('#field input').length;
found.errors = errors;
document.getElementById('answer').textContent = JSON.stringify(found);
