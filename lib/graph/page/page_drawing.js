// The drawings: the graph with its boxes and links, and the scheme of units. What a step is about is marked.

const marks = {boxes: [], links: [], columns: [], weights: []};

// A smooth curve through the points of a route, leaving and reaching each in the direction of flow: its Bezier points.
function through(route, horizontal) {
  const points = [route[0]];
  for (let k = 1; k < route.length; k++) {
    const [x0, y0] = route[k - 1], [x1, y1] = route[k], x = (x0 + x1) / 2, y = (y0 + y1) / 2;
    if (Math.abs(x1 - x0) + Math.abs(y1 - y0) < 0.01) continue;
    points.push(...(horizontal ? [[x, y0], [x, y1]] : [[x0, y], [x1, y]]), [x1, y1]);
  }
  return points;
}

function curve(points) {
  let path = `M${points[0].join(",")}`;
  for (let k = 1; k < points.length; k += 3) path += ` C${points[k]} ${points[k + 1]} ${points[k + 2]}`;
  return path;
}

function arrowHead(points) {
  const [x1, y1] = points[points.length - 1];
  const [x0, y0] = points[points.length - 2];
  const length = Math.hypot(x1 - x0, y1 - y0) || 1, dx = 7 * (x1 - x0) / length, dy = 7 * (y1 - y0) / length;
  return `${x1},${y1} ${x1 - dx - dy / 2.2},${y1 - dy + dx / 2.2} ${x1 - dx + dy / 2.2},${y1 - dy - dx / 2.2}`;
}

function drawGraph() {
  const picture = data.picture;
  const drawing = shape("svg", {width: picture.width, height: picture.height, role: "img",
    "aria-label": `Computational graph with ${data.nodes.length} nodes; the list of steps and the tables hold the same`});
  for (const [source, target, edge, route] of picture.links) {
    const points = through(route, picture.horizontal);
    const line = shape("g", {class: "link", "data-edge": edge}, shape("path", {d: curve(points)}),
      shape("polygon", {points: arrowHead(points)}), shape("polygon", {class: "against", points: arrowHead([...points].reverse())}));
    marks.links.push({line, target, edge});
    drawing.append(line);
  }
  picture.boxes.forEach(([x, y, width, height, first, second], k) => {
    const text = shape("text", {x, y: y + 14, class: "detail"}, second);
    const box = shape("g", {class: `box ${data.nodes[k].kind}`, "data-node": k, onclick: () => goToNode(k)},
      shape("title", {}, data.nodes[k].name),
      shape("rect", {x: x - width / 2, y: y - height / 2, width, height, rx: 6}),
      shape("text", {x, y: y - 2, class: "name"}, first), text);
    marks.boxes.push({box, text, second});
    drawing.append(box);
  });
  return drawing;
}

const MOST_UNITS = 8, MOST_LETTERS = 36;

function fitted(text) {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text;
}

function drawScheme() {
  const {columns, links} = data.scheme, step = 44, arch = links.some(link => link.to - link.from > 1) ? 46 : 0;
  const shownUnits = columns.map(column => Math.min(column.units, MOST_UNITS)), tallest = Math.max(...shownUnits);
  const labels = links.map(link => [link.weights, link.bias].filter(k => k !== null).map(k => data.nodes[k].name).join(", "));
  const names = columns.map(column => data.nodes[column.nodes[0]].name);
  const apart = Math.max(110, ...labels.map(text => 8 + 7 * fitted(text).length), ...names.map(text => 8 + 8 * fitted(text).length));
  const left = apart / 2, width = apart * columns.length, height = tallest * step + 60 + arch;
  const drawing = shape("svg", {width, height, role: "img",
    "aria-label": `Network scheme: ${columns.map(column => column.units).join(", ")} units`});
  const place = (c, u) => [left + apart * c, 20 + arch + (tallest - shownUnits[c]) * step / 2 + step * (u + 0.5)];
  for (const [number, link] of links.entries()) {
    const lines = shape("g", {class: "weights"}), {from, to} = link, skips = to - from > 1;
    for (let i = 0; i < shownUnits[from]; i++)
      for (let j = 0; j < shownUnits[to]; j++) {
        const [x1, y1] = place(from, i), [x2, y2] = place(to, j);
        lines.append(skips ? shape("path", {d: `M${x1},${y1 - 16} C${x1 + 30},14 ${x2 - 30},14 ${x2},${y2 - 16}`}) :
          shape("line", {x1: x1 + 16, y1, x2: x2 - 16, y2}));
      }
    lines.append(shape("text", {x: left + apart * (from + to) / 2, y: skips ? 14 : 16 + arch, class: "detail"},
      shape("title", {}, labels[number]), fitted(labels[number])));
    marks.weights.push({lines, link});
    drawing.append(lines);
  }
  columns.forEach((column, c) => {
    const units = shape("g", {class: "units"});
    for (let u = 0; u < shownUnits[c]; u++) {
      const [x, y] = place(c, u), hidden = column.units - MOST_UNITS;
      units.append(shape("circle", {cx: x, cy: y, r: 16}));
      if (hidden > 0 && u === MOST_UNITS - 1) units.append(shape("text", {x, y: y + 4, class: "detail"}, `+${hidden + 1}`));
    }
    units.append(shape("text", {x: left + apart * c, y: height - 10, class: "name"}, shape("title", {}, names[c]), fitted(names[c])));
    marks.columns.push({units, column});
    drawing.append(units);
  });
  return drawing;
}

// Mark what a step is about, and what has been computed by then.
function mark(index) {
  const step = data.steps[index], edge = step.phase === "backward" ? data.edges[step.edge] : null;
  const known = knownBefore(index + 1);
  marks.boxes.forEach(({box, text, second}, k) => {
    box.classList.toggle("now", k === step.node || (edge !== null && k === edge.child));
    box.classList.toggle("target", k === step.node);
    box.classList.toggle("later", !known.values.has(k));
    text.textContent = known.values.has(k) && !isHidden(index, k) ? second : "?";
  });
  showBox(marks.boxes[step.node].box, data.picture.boxes[step.node]);
  for (const {line, target, edge: e} of marks.links) {
    const active = step.phase === "backward" ? e !== null && e === step.edge : step.phase === "forward" && target === step.node;
    line.setAttribute("class", `link${active ? " now" : ""}${e !== null && known.edges.has(e) ? " back" : ""}`);
  }
  for (const {units, column} of marks.columns)
    units.classList.toggle("now", column.nodes.includes(step.node) || (edge !== null && column.nodes.includes(edge.child)));
  for (const {lines, link} of marks.weights)
    lines.classList.toggle("now", [link.weights, link.bias].includes(step.node) ||
      (step.phase === "forward" && data.nodes[step.node].parents.includes(link.weights)));
}

// Show all numbers, and mark nothing: for print.
function markAll() {
  marks.boxes.forEach(({box, text, second}) => { box.classList.remove("now", "target", "later"); text.textContent = second; });
  for (const {line} of marks.links) line.setAttribute("class", "link");
  for (const {units} of marks.columns) units.classList.remove("now");
  for (const {lines} of marks.weights) lines.classList.remove("now");
}

// Scroll the graph, and nothing else, so that a box is in the middle of it.
function showBox(box, [x, y]) {
  const frame = box.closest(".drawing");
  frame.scrollTo(x - frame.clientWidth / 2, y - frame.clientHeight / 2);
}

// The nodes and edges whose numbers are known before a step.
function knownBefore(index) {
  const values = new Set(data.nodes.flatMap((node, k) => node.parents ? [] : [k])), edges = new Set(), gradients = new Set();
  for (const step of data.steps.slice(0, index)) {
    if (step.phase === "forward") values.add(step.node);
    if (step.phase === "seed") gradients.add(step.node);
    if (step.phase === "backward") { edges.add(step.edge); if (step.last) gradients.add(step.node); }
  }
  return {values, edges, gradients};
}
