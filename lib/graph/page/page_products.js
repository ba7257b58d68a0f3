// Opening a gradient: each entry is a sum of products, a local derivative times a gradient that is one step nearer to
// the output.

const edgesTo = data.nodes.map(() => []);
data.edges.forEach((edge, k) => edgesTo[edge.parent].push(k));
const MOST_ROWS = 60;

// The products of an entry of a gradient: [{edge, entry: its own, child: entry of the child, factor: number,
// source: {node, entry}}].
function productsOf(k, flat) {
  return edgesTo[k].flatMap(e => productsAlong(e, flat).map(product => ({entry: flat, ...product})));
}

function productsAlong(e, flat) {
  const edge = data.edges[e], child = data.nodes[edge.child], parent = data.nodes[edge.parent];
  if (edge.kind === "matmul") return ofMatrixProduct(e, flat);
  if (edge.kind === "listed") return edge.products[flat].map(([j, factor]) => ({edge: e, child: j, factor}));
  const found = [];
  for (let j = 0; j < sizeOf(child); j++)
    if (broadcastEntry(parent.shape, child.shape, j) === flat) found.push({edge: e, child: j, factor: edge.local[j]});
  return found;
}

// The entry of an array that broadcasting brings to entry j of a larger one.
function broadcastEntry(small, large, j) {
  const indices = indicesOf(large, j).slice(large.length - small.length);
  return flatOf(small, indices.map((index, axis) => small[axis] === 1 ? 0 : index));
}

// z[m,n] = sum over k of left[m,k] right[k,n].
function ofMatrixProduct(e, flat) {
  const edge = data.edges[e], [rows, inner, columns] = data.nodes[edge.child].product, found = [];
  const other = data.nodes[edge.other];
  if (edge.side === 0) {
    const m = Math.floor(flat / inner), k = flat % inner;
    for (let n = 0; n < columns; n++) {
      const entry = k * columns + n;
      found.push({edge: e, child: m * columns + n, factor: other.value[entry], source: {node: edge.other, entry}});
    }
  } else {
    const k = Math.floor(flat / columns), n = flat % columns;
    for (let m = 0; m < rows; m++) {
      const entry = m * inner + k;
      found.push({edge: e, child: m * columns + n, factor: other.value[entry], source: {node: edge.other, entry}});
    }
  }
  return found;
}

// The factor of a product, in letters: an entry of another quantity, or the local derivative.
function factorElement(product) {
  if (product.source) {
    const node = data.nodes[product.source.node];
    return formula(entryTree(node, product.source.entry), entrySpoken(node, product.source.entry));
  }
  const {child: c, parent: p} = data.edges[product.edge], child = data.nodes[c], parent = data.nodes[p];
  const tree = ["mfrac", ["mrow", ["mo", "∂"], entryTree(child, product.child)],
    ["mrow", ["mo", "∂"], entryTree(parent, product.entry)]];
  return formula(tree, `the derivative of ${entrySpoken(child, product.child)} by ${entrySpoken(parent, product.entry)}`);
}

function times() {
  return element("span", {}, element("span", {"aria-hidden": "true"}, " · "), element("span", {class: "spoken"}, " times "));
}

// A number as a factor: a negative one stands in brackets.
function factorNumber(value) {
  return value < 0 ? element("span", {}, "(", numberElement(value), ")") : numberElement(value);
}

// The factor, and the gradient that it is multiplied by, as numbers.
function inNumbers(product) {
  const value = data.nodes[data.edges[product.edge].child].grad[product.child];
  return element("span", {}, factorNumber(product.factor), times(), factorNumber(value));
}

function gradientElement(k, flat) {
  return element("span", {}, formula(gradientTree(k, flat), gradientSpoken(k, flat)), " = ",
    numberElement(data.nodes[k].grad[flat]));
}

// One entry of a gradient as the sum of its products. Each gradient in it is a button that opens it in turn.
function openedEntry(k, flat, level) {
  const node = data.nodes[k], products = productsOf(k, flat);
  const name = gradientText(k, flat);
  const box = element("section", {class: "opened", "aria-label": `${name} opened`, "data-gradient": `${k}:${flat}`});
  box.append(element("p", {class: "sum"}, gradientElement(k, flat)));
  if (k === data.output) {
    box.append(element("p", {}, "Here the backward pass begins: the derivative of a quantity by itself is 1."));
    return box;
  }
  const words = products.length === 1 ? "It is one product:" : `It is the sum of ${products.length} products:`;
  box.append(element("p", {}, products.length ? words : "No product contributes to it: it is 0."));
  const list = element("ul", {class: "products"});
  const add = (from, to) => products.slice(from, to).forEach(product => list.append(productRow(product, level)));
  add(0, MOST_ROWS);
  if (products.length > MOST_ROWS) {
    const more = element("button", {type: "button", onclick: () => { more.remove(); add(MOST_ROWS, products.length); }},
      `Show the other ${products.length - MOST_ROWS} products`);
    box.append(list, more);
  } else box.append(list);
  if (level === 0 && products.length) {
    const whole = element("button", {type: "button", class: "down", onclick: () => {
      const down = downToTheInputs(k, flat);
      whole.replaceWith(down);
      down.focus();
    }}, "Open everything down to the inputs");
    box.append(whole);
  }
  return box;
}

function productRow(product, level) {
  const edge = data.edges[product.edge], child = edge.child, value = data.nodes[child].grad[product.child];
  const row = element("li", {"data-product": String(product.factor * value)});
  const button = element("button", {type: "button", class: "factor", "aria-expanded": "false", onclick: () => {
    const inner = row.querySelector(":scope > section");
    if (inner) inner.remove(); else row.append(openedEntry(child, product.child, level + 1));
    button.setAttribute("aria-expanded", String(!inner));
  }}, formula(gradientTree(child, product.child), gradientSpoken(child, product.child)));
  row.append(factorElement(product), times(), button, " = ", inNumbers(product), " = ", numberElement(product.factor * value));
  if (!product.source && edge.slope && edge.slope.math[0] !== "mn")
    row.append(element("span", {class: "remark"}, ", where the derivative is ", both(edge.slope)));
  return row;
}

// All gradients that an entry is made of, each once, as the sum of its products, nearest first.
function downToTheInputs(k, flat) {
  const seen = new Set([`${k}:${flat}`]), waiting = [[k, flat]], lines = [];
  while (waiting.length) {
    waiting.sort((a, b) => a[0] - b[0]);
    const [node, entry] = waiting.shift();
    const products = productsOf(node, entry);
    lines.push(element("li", {"data-line": `${node}:${entry}`},
      formula(gradientTree(node, entry), gradientSpoken(node, entry)), ...sumElements(products, data.nodes[node].grad[entry])));
    for (const product of products) {
      const child = data.edges[product.edge].child, key = `${child}:${product.child}`;
      if (!seen.has(key)) { seen.add(key); waiting.push([child, product.child]); }
    }
  }
  return element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "down to the inputs"},
    element("p", {}, "Each gradient that takes part, from this entry to the output:"),
    element("ol", {class: "down"}, ...lines));
}

// A sum of products, first in letters, then in numbers, then the number that it is.
function sumElements(products, sum) {
  if (!products.length) return [" = ", numberElement(sum), " (the output: its derivative by itself)"];
  const added = each => products.flatMap((product, i) => [i ? " + " : " = ", ...each(product)]);
  return [...added(product => {
    const child = data.edges[product.edge].child;
    return [factorElement(product), times(), formula(gradientTree(child, product.child), gradientSpoken(child, product.child))];
  }), ...added(product => [inNumbers(product)]), " = ", numberElement(sum)];
}
