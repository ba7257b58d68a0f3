// The plane of a network's two inputs: its predictions as colours, the line where they change, each hidden unit's own
// line with an arrow to the side on which the unit is on, and the examples, whose class is a shape and a colour.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const LEVEL = new Map([...ALPHABET].map((letter, k) => [letter, k]));
const SIDE = 260, COLOURS = [[47, 122, 192], [217, 116, 31], [46, 139, 87], [148, 92, 180], [181, 60, 90], [120, 110, 40],
  [40, 130, 140], [130, 130, 130], [90, 70, 200]];

function paperColour() {
  const probe = document.body.appendChild(element("div", {style: "background: var(--paper)"}));
  const found = getComputedStyle(probe).backgroundColor.match(/\d+/g).map(Number);
  probe.remove();
  return found;
}

// The value of a letter: the probability of class 1 or the number's place in its range, 0 to 1; or [class, strength].
function meaning(letter, scale) {
  const level = LEVEL.get(letter);
  const root = level / 31.5 - 1;  // levels are finer near the middle
  return data.plane.classes > 2 ? [Math.floor(level / 7), (level % 7) / 6] : 0.5 + scale * Math.sign(root) * root * root / 2;
}

function cellColour(letter, scale, paper) {
  const value = meaning(letter, scale);
  const [kind, strength] = Array.isArray(value) ? [value[0], 0.15 + 0.45 * value[1]] : [value < 0.5 ? 0 : 1, Math.abs(value - 0.5) * 1.2];
  return COLOURS[kind].map((each, k) => Math.round(each * strength + paper[k] * (1 - strength)));
}

function onScreen([x, y]) {
  const {low, high} = data.plane;
  return [SIDE * (x - low[0]) / (high[0] - low[0]), SIDE * (1 - (y - low[1]) / (high[1] - low[1]))];
}

// Where the prediction changes: segments between neighbouring cells, by linear interpolation.
function boundaryPath(cells) {
  const n = data.plane.resolution, step = SIDE / (n - 1);
  if (data.plane.classes > 2) return "";
  const value = (i, j) => meaning(cells[j * n + i], 1) - 0.5;
  let path = "";
  for (let j = 0; j + 1 < n; j++)
    for (let i = 0; i + 1 < n; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], found = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [corners[k], corners[(k + 1) % 4]], [va, vb] = [value(...a), value(...b)];
        if ((va < 0) !== (vb < 0)) {
          const t = va / (va - vb);
          found.push([(a[0] + t * (b[0] - a[0])) * step, SIDE - (a[1] + t * (b[1] - a[1])) * step]);
        }
      }
      for (let k = 0; k + 1 < found.length; k += 2) path += `M${found[k].map(v => v.toFixed(1))} L${found[k + 1].map(v => v.toFixed(1))}`;
    }
  return path;
}

// The units of the first layer in a frame: their weights and bias, and the ends of the line inside of the window.
function unitLines(run, frame) {
  if (!run.folds) return [];
  const start = k => run.parameters.slice(0, k).reduce((sum, each) => sum + each.full.reduce((p, s) => p * s, 1), 0);
  const [W, b, kink] = run.folds, units = run.parameters[W].full[1], numbers = run.weights[frame];
  if (!run.every) return [];
  return Array.from({length: units}, (_, j) => {
    const w = [numbers[start(W) + j], numbers[start(W) + units + j]].map(Number), bias = Number(numbers[start(b) + j]);
    return {name: `unit ${j}`, w, bias, kink, ends: clippedLine(w, bias)};
  });
}

function clippedLine(w, bias) {
  const {low, high} = data.plane, found = [];
  for (const [axis, value] of [[0, low[0]], [0, high[0]], [1, low[1]], [1, high[1]]]) {
    const other = 1 - axis, at = -(w[axis] * value + bias) / w[other];
    if (Number.isFinite(at) && at >= low[other] && at <= high[other]) found.push(axis === 0 ? [value, at] : [at, value]);
  }
  const far = found.find(p => Math.hypot(p[0] - found[0][0], p[1] - found[0][1]) > 1e-9);
  return far ? [found[0], far] : null;
}

// What is said of a unit's line, for those who don't see it, and where there is none to see.
function unitSentence(unit) {
  const number = value => shown(Number(value.toPrecision(3)));
  const what = unit.kink ? "on" : "in its upper half";
  if (!unit.ends) {
    const {low, high} = data.plane, middle = unit.w[0] * (low[0] + high[0]) / 2 + unit.w[1] * (low[1] + high[1]) / 2 + unit.bias;
    if (!Number.isFinite(middle)) return `${unit.name} has no line: its weights aren't finite numbers.`;
    return `${unit.name}'s line is outside of the picture: it is ${middle > 0 ? what : unit.kink ? "off" : "in its lower half"} everywhere here.`;
  }
  const [a, b] = unit.ends.map(p => `(${number(p[0])}, ${number(p[1])})`);
  return `${unit.name}'s line runs from ${a} to ${b}.`;
}

const SHAPES = [
  (x, y, r) => shape("circle", {cx: x, cy: y, r}), (x, y, r) => shape("rect", {x: x - r, y: y - r, width: 2 * r, height: 2 * r}),
  (x, y, r) => shape("polygon", {points: `${x},${y - r} ${x + r},${y + r} ${x - r},${y + r}`}),
  (x, y, r) => shape("polygon", {points: `${x},${y - r} ${x + r},${y} ${x},${y + r} ${x - r},${y}`})];

function pointMark(k, wrong) {
  const {points, labels, classes, range} = data.plane, [x, y] = onScreen(points[k]);
  const place = classes ? labels[k] : (labels[k] - range[0]) / Math.max(range[1] - range[0], 1e-12);
  const kind = classes ? labels[k] : place < 0.5 ? 0 : 1;
  const mark = SHAPES[classes ? kind % 4 : 0](x, y, points.length > 40 ? 4 : 7);
  mark.setAttribute("style", `fill: rgb(${COLOURS[kind % 9]})`);
  const cross = shape("path", {class: "cross", d: `M${x - 11},${y - 11} L${x + 11},${y + 11} M${x - 11},${y + 11} L${x + 11},${y - 11}`});
  return shape("g", {class: "point"}, shape("title", {}, classes ? `class ${labels[k]}` : String(labels[k])), mark, ...(wrong ? [cross] : []));
}

// Whether an example is predicted wrongly in a frame, as far as that is listed.
function isWrong(run, frame, k) {
  return Boolean(data.plane.listed && run.missed && run.missed[frame][k] === "1");
}

function drawPlane(run, frame, paper = paperColour()) {
  const n = data.plane.resolution, cells = run.cells[frame];
  const small = element("canvas", {width: n, height: n}), large = element("canvas", {width: SIDE, height: SIDE, "aria-hidden": "true"});
  const image = small.getContext("2d").createImageData(n, n);
  for (let j = 0; j < n; j++)
    for (let i = 0; i < n; i++) image.data.set([...cellColour(cells[j * n + i], run.scales[frame], paper), 255], 4 * ((n - 1 - j) * n + i));
  small.getContext("2d").putImageData(image, 0, 0);
  large.getContext("2d").imageSmoothingEnabled = data.plane.classes <= 2;
  const half = SIDE / (n - 1) / 2;  // a cell's number is that of its middle
  large.getContext("2d").drawImage(small, -half, -half, SIDE + 2 * half, SIDE + 2 * half);
  const units = unitLines(run, frame);
  const drawing = shape("svg", {viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-label": planeSentence(run, frame, units)},
    shape("path", {class: "boundary", d: boundaryPath(cells)}));
  units.forEach((unit, j) => {
    if (!unit.ends) return;
    const [a, b] = unit.ends.map(onScreen), part = (j + 1) / (units.length + 1);  // each arrow at another place
    const middle = [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
    const {low, high} = data.plane, length = Math.hypot(unit.w[0] / (high[0] - low[0]), unit.w[1] / (high[1] - low[1])) || 1;
    const tip = [middle[0] + 18 * unit.w[0] / (high[0] - low[0]) / length, middle[1] - 18 * unit.w[1] / (high[1] - low[1]) / length];
    const place = [Math.min(SIDE - 20, Math.max(20, tip[0] + (tip[0] - middle[0]) * 0.9)), Math.min(SIDE - 6, Math.max(12, tip[1] + (tip[1] - middle[1]) * 0.9 + 4))];
    drawing.append(shape("g", {class: "unit"}, shape("line", {x1: a[0], y1: a[1], x2: b[0], y2: b[1]}),
      shape("path", {d: `M${middle} L${tip}`}), shape("polygon", {points: arrow(middle, tip)}),
      units.length > 8 ? "" : shape("text", {x: place[0], y: place[1], class: "detail"}, unit.name)));
  });
  data.plane.points.forEach((_, k) => drawing.append(pointMark(k, isWrong(run, frame, k))));
  return element("div", {class: "plane"}, large, drawing);
}

function arrow([x0, y0], [x1, y1]) {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1, dx = 8 * (x1 - x0) / length, dy = 8 * (y1 - y0) / length;
  return `${x1},${y1} ${x1 - dx - dy / 2},${y1 - dy + dx / 2} ${x1 - dx + dy / 2},${y1 - dy - dx / 2}`;
}

function planeSentence(run, frame, units) {
  const few = data.plane.listed && data.plane.classes === 2, at = data.plane.points;
  const predicted = value => shown(typeof value === "number" ? Number(value.toPrecision(2)) : value);
  const points = few ? at.map((p, k) => `(${p.join(", ")}) is of class ${data.plane.labels[k]}, predicted with ${predicted(run.predictions[frame][k])} for class 1`).join("; ") :
    `${data.plane.of} examples`;
  return `Plane of the two inputs of ${run.name}: ${points}. ${units.slice(0, 8).map(unitSentence).join(" ")}`;
}
