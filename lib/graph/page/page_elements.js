"use strict";
// The page's data, and the making of elements: every text is set as a text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const MATH = "http://www.w3.org/1998/Math/MathML", SVG = "http://www.w3.org/2000/svg";

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

function element(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function shape(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

// A formula for the eye, and its words for a screen reader.
function formula(tree, spoken) {
  const math = document.createElementNS(MATH, "math");
  math.setAttribute("aria-hidden", "true");
  math.setAttribute("displaystyle", "true");
  math.append(mathElement(tree));
  return element("span", {class: "formula"}, math, element("span", {class: "spoken"}, spoken));
}

function mathElement(tree) {
  if (tree[0] === "array") return mathElement(matrixTree(Number(tree[1]), tree.slice(2)));
  const made = document.createElementNS(MATH, tree[0]);
  for (const child of tree.slice(1)) made.append(typeof child === "string" ? child : mathElement(child));
  if (tree[0] === "mspace") made.setAttribute("width", "0.3em");
  if (tree[0] === "mi" && tree[1] && tree[1].length > 1) made.setAttribute("mathvariant", "normal");
  return made;
}

function matrixTree(columns, numbers) {
  const rows = [];
  for (let k = 0; k < numbers.length; k += columns)
    rows.push(["mtr", ...numbers.slice(k, k + columns).map(number => ["mtd", ["mn", number]])]);
  return ["mtable", ...rows];
}

function both(written) {
  return written ? formula(written.math, written.spoken) : null;
}

// A number as it is shown: six digits.
function shown(value) {
  if (typeof value === "string" || !Number.isFinite(value)) return String(value).toLowerCase();
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential(5).split("e");
    return `${Number(mantissa)}e${Number(exponent)}`.replace("-", "−").replace("e-", "e−");
  }
  return String(Number(value.toPrecision(6))).replace("-", "−");
}

// A number with all of its digits in data-value.
function numberElement(value) {
  return element("span", {class: "number", "data-value": String(value)}, shown(value));
}

// ---- entries of arrays, counted row by row

function indicesOf(shape, flat) {
  const indices = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    indices.unshift(flat % shape[axis]);
    flat = Math.floor(flat / shape[axis]);
  }
  return indices;
}

function flatOf(shape, indices) {
  return indices.reduce((flat, index, axis) => flat * shape[axis] + index, 0);
}

function sizeOf(node) {
  return node.shape.reduce((product, size) => product * size, 1);
}

function entryTree(node, flat) {
  const indices = indicesOf(node.shape, flat);
  return indices.length ? ["mrow", node.term, ["mo", "["], ["mn", indices.join(",")], ["mo", "]"]] : node.term;
}

function entrySpoken(node, flat) {
  const indices = indicesOf(node.shape, flat);
  return node.spoken + (indices.length ? ` at ${indices.join(", ")}` : "");
}

// dL/dW1[0,1], for the eye and for the ear.
function gradientTree(k, flat) {
  return partialTree(k, entryTree(data.nodes[k], flat));
}

function partialTree(k, what = data.nodes[k].term) {
  return ["mfrac", ["mrow", ["mo", "∂"], data.nodes[data.output].term], ["mrow", ["mo", "∂"], what]];
}

function gradientSpoken(k, flat) {
  return `the derivative of ${data.nodes[data.output].spoken} by ${entrySpoken(data.nodes[k], flat)}`;
}

function gradientText(k, flat) {
  const node = data.nodes[k], indices = indicesOf(node.shape, flat);
  return `d${data.nodes[data.output].name}/d${node.name}${indices.length ? `[${indices.join(",")}]` : ""}`;
}

// ---- tables

// An array as a table with its indices; cell(flat) gives what stands for an entry.
function table(node, caption, cell, place = "") {
  const rows = node.shape.length < 2 ? 1 : node.shape[node.shape.length - 2];
  const columns = node.shape.length ? node.shape[node.shape.length - 1] : 1;
  const parts = [];
  for (let start = 0, part = 0; start < sizeOf(node); start += rows * columns, part++) {
    const slice = node.shape.length > 2 ? ` [${indicesOf(node.shape.slice(0, -2), part).join(",")}]` : "";
    const head = element("tr", {}, element("td", {}),
      ...Array.from({length: columns}, (_, j) => element("th", {scope: "col"}, String(j))));
    const body = Array.from({length: rows}, (_, i) => element("tr", {},
      node.shape.length > 1 ? element("th", {scope: "row"}, String(i)) : element("td", {}),
      ...Array.from({length: columns}, (_, j) => element("td", {}, cell(start + i * columns + j)))));
    parts.push(element("table", {}, element("caption", {}, caption + slice),
      node.shape.length ? element("thead", {}, head) : null, element("tbody", {}, ...body)));
  }
  return element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption + place}, ...parts);
}
