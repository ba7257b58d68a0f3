// What if: an entry of a parameter or an input is dragged or typed, and forward pass, backward pass and loss follow.

// Each entry by itself: its value, and its derivative by each input, from the output y and the inputs a and b.
const logistic = a => a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a));
const softplus = a => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const ENTRY_BY_ENTRY = {
  add: [(a, b) => a + b, () => 1, () => 1], subtract: [(a, b) => a - b, () => 1, () => -1],
  multiply: [(a, b) => a * b, (y, a, b) => b, (y, a) => a], divide: [(a, b) => a / b, (y, a, b) => 1 / b, (y, a, b) => -a / (b * b)],
  negate: [a => -a, () => -1], relu: [a => Math.max(a, 0), (y, a) => a > 0 ? 1 : 0], abs: [Math.abs, (y, a) => a > 0 ? 1 : -1],
  sigmoid: [logistic, y => y * (1 - y)], tanh: [Math.tanh, y => 1 - y * y], exp: [Math.exp, y => y], log: [Math.log, (y, a) => 1 / a],
  log1p: [Math.log1p, (y, a) => 1 / (1 + a)], sqrt: [Math.sqrt, y => 0.5 / y], sin: [Math.sin, (y, a) => Math.cos(a)],
  cos: [Math.cos, (y, a) => -Math.sin(a)], maximum: [Math.max, (y, a, b) => a > b ? 1 : 0, (y, a, b) => a > b ? 0 : 1],
  power: [(a, b) => a ** b, (y, a, b) => b * a ** (b - 1), (y, a) => y * Math.log(a)],
  binary_cross_entropy: [(z, t) => (t === 0 ? 0 : t * softplus(-z)) + (t === 1 ? 0 : (1 - t) * softplus(z)),
    (y, z, t) => logistic(z) - t, (y, z) => -z]};
const OTHERS = ["matmul", "sum", "mean", "log_softmax"];
const whatIf = {node: null, flat: 0, changed: false, last: ""};
const SHOWN_WHOLE = 2000;  // with more numbers in the graph, it would lag behind the hand

// Why there is no "what if" on this page, as a sentence; null if there is.
function whatIfLacks() {
  const strange = [...new Set(data.nodes.filter(node => node.operation && !(node.operation in ENTRY_BY_ENTRY) &&
    !(OTHERS.includes(node.operation) && (node.operation !== "matmul" || node.product))).map(node => node.operation))];
  const size = data.nodes.reduce((sum, node) => sum + sizeOf(node), 0);
  return strange.length ? `Changing numbers isn't offered on this page: its graph has ${strange.join(", ")}, which only the library computes.` :
    size > SHOWN_WHOLE ? `Changing numbers isn't offered on this page: it holds ${size} numbers, and up to ${SHOWN_WHOLE} follow at once.` : null;
}

function forward(node) {
  const inputs = node.parents.map((k, i) => k === null ? {shape: [], value: [node.numbers[i]]} : data.nodes[k]), size = sizeOf(node);
  if (node.operation in ENTRY_BY_ENTRY)
    return Array.from({length: size}, (_, j) => ENTRY_BY_ENTRY[node.operation][0](...operandsAt(inputs, node.shape, j)));
  const [a, b] = inputs, value = new Array(size).fill(0);
  if (node.operation === "matmul") {
    const [rows, inner, columns] = node.product;
    for (let m = 0; m < rows; m++)
      for (let n = 0; n < columns; n++)
        for (let k = 0; k < inner; k++) value[m * columns + n] += a.value[m * inner + k] * b.value[k * columns + n];
  } else if (node.operation === "log_softmax") {
    for (const group of groups(node)) {
      const greatest = Math.max(...group.map(i => a.value[i]));
      const total = Math.log(group.reduce((sum, i) => sum + Math.exp(a.value[i] - greatest), 0));
      group.forEach(i => { value[i] = a.value[i] - greatest - total; });
    }
  } else {
    const count = a.value.length / size;
    a.value.forEach((each, i) => { value[reducedEntry(node, a.shape, i)] += each; });
    if (node.operation === "mean") return value.map(each => each / count);
  }
  return value;
}

function operandsAt(inputs, shape, j) {
  return inputs.map(input => input.value[broadcastEntry(input.shape, shape, j)]);
}

// The entries that log_softmax takes together.
function groups(node) {
  const found = new Map();
  for (let i = 0; i < sizeOf(node); i++) {
    const key = indicesOf(node.shape, i).filter((_, axis) => !node.axes.includes(axis)).join();
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(i);
  }
  return [...found.values()];
}

// The entry of a sum or a mean that entry i of its input belongs to.
function reducedEntry(node, shape, i) {
  const indices = indicesOf(shape, i);
  return flatOf(node.shape, node.shape.length === shape.length ? indices.map((index, axis) => node.axes.includes(axis) ? 0 : index) :
    indices.filter((_, axis) => !node.axes.includes(axis)));
}

// What an edge's products are made of, at the present values.
function refreshEdge(edge) {
  const child = data.nodes[edge.child];
  if (edge.kind === "entry by entry") {
    const inputs = child.parents.map((k, i) => k === null ? {shape: [], value: [child.numbers[i]]} : data.nodes[k]);
    edge.local = child.value.map((y, j) => ENTRY_BY_ENTRY[child.operation][1 + edge.side](y, ...operandsAt(inputs, child.shape, j)));
  } else if (child.operation === "log_softmax") {
    edge.products = child.value.map(() => []);
    for (const group of groups(child))
      for (const i of group) edge.products[i] = group.map(j => [j, (i === j ? 1 : 0) - Math.exp(child.value[i])]);
  }
}

function recompute() {
  for (const step of data.steps) if (step.phase === "forward") data.nodes[step.node].value = forward(data.nodes[step.node]);
  data.edges.forEach(refreshEdge);
  data.nodes.forEach((node, k) => { if (node.grad) node.grad = node.value.map(() => k === data.output ? 1 : 0); });
  data.edges.forEach((edge, e) => {
    const gradient = data.nodes[edge.child].grad, parent = data.nodes[edge.parent];
    edge.flow = new Array(sizeOf(parent)).fill(0);
    if (edge.kind === "entry by entry")
      gradient.forEach((each, j) => { edge.flow[broadcastEntry(parent.shape, data.nodes[edge.child].shape, j)] += each * edge.local[j]; });
    else edge.flow.forEach((_, i) => { edge.flow[i] = productsAlong(e, i).reduce((sum, product) => sum + product.factor * gradient[product.child], 0); });
    edge.flow.forEach((each, i) => { parent.grad[i] += each; });
  });
  data.nodes.forEach(node => { if (node.new) node.new = node.value.map((each, i) => each - data.rate * node.grad[i]); });
  data.loss.before = data.nodes[data.output].value[0];
  data.loss.after = lossAfterUpdate();
}

function lossAfterUpdate() {
  const before = data.nodes.map(node => node.value);
  data.nodes.forEach(node => { if (node.new) node.value = node.new; });
  for (const step of data.steps) if (step.phase === "forward") data.nodes[step.node].value = forward(data.nodes[step.node]);
  const loss = data.nodes[data.output].value[0];
  data.nodes.forEach((node, k) => { node.value = before[k]; });
  return loss;
}

function change(k, flat, value) {
  data.nodes[k].value[flat] = value;
  data.edges.forEach(edge => { edge.mistakes = []; });  // those of other numbers
  whatIf.changed = true;
  recompute();
  data.nodes.forEach((node, n) => { if (!node.shape.length) marks.boxes[n].second = data.picture.boxes[n][5] = shown(Number(node.value[0].toPrecision(4))); });
  showAll();
  parts.back_to.disabled = false;
  whatIf.last = `${entryText(k, flat)} = ${shown(value)}`;
  tellEffect();
}

// What the last change has come to; in predict mode that is asked for.
function tellEffect() {
  if (whatIf.changed) parts.effect.textContent = `With ${whatIf.last}, ${data.nodes[data.output].name} is ${predict.on ? "to be predicted" : shown(data.loss.before)}.`;
}

// Put everything back as the library has computed it.
function firstAgain() {
  const first = JSON.parse(document.getElementById("data").textContent);
  first.nodes.forEach((node, k) => Object.assign(data.nodes[k], node));
  first.edges.forEach((edge, e) => Object.assign(data.edges[e], edge));
  Object.assign(data.loss, first.loss);
  first.picture.boxes.forEach((box, k) => { marks.boxes[k].second = data.picture.boxes[k][5] = box[5]; });
  whatIf.changed = false;
  parts.whatIf.replaceWith(parts.whatIf = whatIfSection());
  parts.whatIf.open = true;
  parts.whatIf.firstChild.focus();  // the button that had the focus is gone
  showAll();
}

function showAll() {
  goTo(state.index, true);
  showTables();
  showEnd();
  parts.opened.hidden = true;
}

function entryText(k, flat) {
  const indices = indicesOf(data.nodes[k].shape, flat);
  return data.nodes[k].name + (indices.length ? `[${indices.join(",")}]` : "");
}

function choose(k, flat) {
  const value = data.nodes[k].value[flat];
  whatIf.node = k;
  whatIf.flat = flat;
  parts.chosen.textContent = entryText(k, flat);
  parts.drag.disabled = parts.typed.disabled = false;
  reachAround(value);
  parts.typed.value = String(value);
  parts.drag.setAttribute("aria-label", `drag ${entryText(k, flat)}`);
  parts.typed.setAttribute("aria-label", `type ${entryText(k, flat)}`);
  parts.entries.querySelectorAll("button").forEach(button => button.setAttribute("aria-pressed",
    String(Number(button.dataset.node) === k && Number(button.dataset.flat) === flat)));
}

// The slider reaches as far to both sides of a number.
function reachAround(value) {
  const reach = Math.max(2, 2 * Math.abs(value));
  Object.assign(parts.drag, {min: value - reach, max: value + reach, step: reach / 100, value});
}

function setChosen(value, from) {
  if (!Number.isFinite(value)) { parts.effect.textContent = "Please type a number, such as 0.25, −3 or 1/4."; return; }
  if (from !== parts.drag) reachAround(value);
  if (from !== parts.typed) parts.typed.value = String(value);
  change(whatIf.node, whatIf.flat, value);
  const button = parts.entries.querySelector(`button[data-node='${whatIf.node}'][data-flat='${whatIf.flat}']`);
  button.replaceChildren(numberElement(value));
  button.setAttribute("aria-label", `${entryText(whatIf.node, whatIf.flat)} = ${shown(value)}: change it`);
}

function whatIfSection() {
  const lacks = whatIfLacks();
  if (lacks) return element("p", {class: "remark"}, lacks);
  const leaves = data.nodes.flatMap((node, k) => node.parents ? [] : [k]);
  parts.chosen = element("strong", {}, "no number");
  parts.drag = element("input", {type: "range", disabled: true, "aria-label": "drag", oninput: () => setChosen(Number(parts.drag.value), parts.drag)});
  parts.typed = element("input", {type: "text", inputmode: "text", size: 12, autocomplete: "off", disabled: true, "aria-label": "type",
    onchange: () => { const read = readNumber(parts.typed.value); setChosen(read ? read.value : NaN, parts.typed); }});
  parts.back_to = element("button", {type: "button", disabled: true, onclick: firstAgain}, "The first numbers again");
  parts.effect = element("p", {role: "status"}, "");
  parts.entries = element("div", {class: "tables"}, ...leaves.map(k => table(data.nodes[k], data.nodes[k].name, flat => element("button",
    {type: "button", class: "entry", "data-node": k, "data-flat": flat, "aria-pressed": "false", onclick: () => choose(k, flat),
     "aria-label": `${entryText(k, flat)} = ${shown(data.nodes[k].value[flat])}: change it`}, numberElement(data.nodes[k].value[flat])), " to change")));
  return element("details", {class: "whatif"}, element("summary", {}, "What if: change a number, and everything follows"),
    element("p", {}, "Choose one below, then drag the slider or type: ", parts.chosen),
    element("div", {class: "changer"}, parts.drag, parts.typed, parts.back_to), parts.effect, parts.entries);
}
