// The replay: all runs side by side at one epoch; slider, buttons, keys and play go from frame to frame.

const state = {frame: 0, timer: null}, parts = {};
const CHART = {width: 260, height: 120, left: 34, bottom: 22};

function frameOf(run, frame) {
  return Math.min(frame, run.epochs.length - 1);
}

function chart(run) {
  const {width, height, left, bottom} = CHART, last = Math.max(1, data.frames[data.frames.length - 1]);
  const finite = Object.values(run.curves).flat().map(pair => pair[1]).filter(value => typeof value === "number");
  const first = Math.max(...Object.values(run.curves).map(curve => Number(curve[0][1]) || 0), 1e-12);
  const named = Object.keys(run.curves).length;  // each with a line of its own, if there are several
  const most = Math.max(...finite, 1e-12), top = Math.min(most * 1.06, 20 * first);  // what diverges leaves the picture
  const short = value => value < 1e4 && value >= 1e-3 ? shown(Number(value.toPrecision(2))) : value.toExponential(1).replace("+", "").replace("-", "−");
  const x = epoch => left + (width - left - 6) * epoch / last, y = value => (height - bottom) * (1 - Math.min(2 * top, Math.max(0, value)) / top) + 4;
  const drawing = shape("svg", {viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img",
    "aria-label": `Loss of ${run.name} over the epochs: from ${shown(run.curves[Object.keys(run.curves)[0]][0][1])} to ${shown(run.curves[Object.keys(run.curves)[0]].slice(-1)[0][1])}`},
    shape("path", {class: "axis", d: `M${left},4 V${height - bottom + 4} H${width - 6}`}),
    shape("text", {x: left - 4, y: height - bottom + 6, class: "detail end"}, "0"),
    shape("text", {x: left - 4, y: 14, class: "detail end"}, short(top)),
    most > top ? shape("text", {x: width - 8, y: named > 1 ? 16 + 13 * named : 14, class: "detail end"}, `above: up to ${short(most)}`) : "",
    shape("text", {x: width - 6, y: height - 5, class: "detail end"}, `epoch ${last}`));
  if (data.guess) {
    const level = Math.log(data.guess);
    const below = y(level) + 13 < height - bottom;  // else it would cover the axis
    if (level < top) drawing.append(shape("path", {class: "guess", d: `M${left},${y(level)} H${width - 6}`}),
      shape("text", {x: width - 8, y: y(level) + (below ? 13 : -4), class: "detail end"}, `ln ${data.guess}: a guess`));
  }
  Object.entries(run.curves).forEach(([name, curve], k) => {
    const points = curve.filter(pair => typeof pair[1] === "number").map(pair => `${x(pair[0]).toFixed(1)},${y(pair[1]).toFixed(1)}`);
    drawing.append(shape("polyline", {class: `curve curve${k % 3}`, points: points.join(" ")}, shape("title", {}, name)));
    if (named > 1) drawing.append(shape("text", {class: "detail end", x: width - 8, y: 16 + 13 * k}, `${name} ${["—", "- -", "···"][k % 3]}`));
  });
  const marker = shape("g", {class: "marker"}, shape("path", {d: `M0,4 V${height - bottom + 4}`}), shape("circle", {r: 4}));
  drawing.append(marker);
  return {drawing, go: frame => {
    const epoch = run.epochs ? run.epochs[frameOf(run, frame)] : data.frames[frame];
    const loss = run.losses ? run.losses[frameOf(run, frame)] : nearest(Object.values(run.curves)[0], epoch);
    marker.children[0].setAttribute("transform", `translate(${x(epoch)},0)`);
    marker.children[1].setAttribute("transform", `translate(${x(epoch)},${typeof loss === "number" ? Math.max(4, y(loss)) : 4})`);
  }};
}

function nearest(curve, epoch) {
  return curve.reduce((best, pair) => Math.abs(pair[0] - epoch) < Math.abs(best[0] - epoch) ? pair : best)[1];
}

function lossAt(run, frame) {
  return run.losses ? run.losses[frameOf(run, frame)] : nearest(Object.values(run.curves)[0], data.frames[frame]);
}

function runSentence(run, frame) {
  const wrong = run.wrong ? `, ${run.wrong[frameOf(run, frame)]} of ${data.plane.of} wrong` : "";
  return `loss ${shown(lossAt(run, frame))}${wrong}`;
}

function numbersOf(run, frame) {
  let start = 0;
  const k = frameOf(run, frame);
  return run.parameters.flatMap(parameter => {
    const size = sizeOf(parameter), from = start, what = run.every ? "" : ", root mean square";
    start += size;
    return [["weights", parameter.name], ["gradients", `dL/d${parameter.name}`]].map(([kind, name]) =>
      table(parameter, name + what, flat => numberElement(run[kind][k][from + flat]), ` of ${run.name}`));
  });
}

function panel(run, number) {
  const kind = run.verdict.startsWith("stuck") || ["diverged", "no number"].includes(run.verdict) ? "stuck" : run.verdict === "solved" ? "solved" : "";
  const plane = element("div", {}), now = element("p", {class: "now"}), curve = chart(run), units = element("p", {class: "remark"});
  const made = element("section", {class: "run", "aria-labelledby": `run${number}`},
    element("h2", {id: `run${number}`}, run.name), run.verdict ? element("p", {class: `verdict ${kind}`}, run.verdict) : null,
    ...(run.cells ? [plane] : []), now, curve.drawing,
    ...run.said.map(sentence => element("p", {class: "said"}, sentence)), ...(run.cells ? [units] : []));
  return {made, go: frame => {
    if (run.cells) {
      plane.replaceChildren(drawPlane(run, frameOf(run, frame)));
      units.textContent = unitLines(run, frameOf(run, frame)).filter(unit => !unit.ends).slice(0, 6).map(unitSentence).join(" ");
    }
    now.textContent = runSentence(run, frame);
    curve.go(frame);
  }};
}

function goTo(frame, quietly) {
  const last = data.frames.length - 1;
  state.frame = Math.max(0, Math.min(last, frame));
  const epoch = `Epoch ${data.frames[state.frame]} of ${data.frames[last]}`;
  parts.slider.value = state.frame;
  parts.slider.setAttribute("aria-valuetext", epoch);
  parts.first.disabled = parts.back.disabled = state.frame === 0;
  parts.next.disabled = parts.last.disabled = state.frame === last;
  parts.panels.forEach(each => each.go(state.frame));
  if (state.timer === null) {  // while it plays, a screen reader isn't told of every frame
    parts.sentence.textContent = `${epoch}. ${data.runs.map(run => `${run.name}: ${runSentence(run, state.frame)}`).join("; ")}.`;
    showTables();
  } else parts.sentence.textContent = epoch + ".";
  if (!quietly && state.timer === null && location.protocol !== "about:") history.replaceState(null, "", `#epoch=${data.frames[state.frame]}`);
}

function showTables() {
  if (!parts.all.open) return;
  parts.tables.replaceChildren(...data.runs.filter(run => run.parameters).map(run => element("section", {class: "numbers of"},
    element("h3", {}, `${run.name}, epoch ${run.epochs[frameOf(run, state.frame)]}`), element("div", {class: "tables"}, ...numbersOf(run, state.frame)))));
}

function play(on) {
  clearInterval(state.timer);
  state.timer = null;
  if (on) {
    if (state.frame === data.frames.length - 1) goTo(0, true);
    const pause = matchMedia("(prefers-reduced-motion: reduce)").matches ? 600 : 80;
    state.timer = setInterval(() => { goTo(state.frame + 1); if (state.frame === data.frames.length - 1) play(false); }, pause);
  }
  parts.play.textContent = on ? "Pause" : "Play";
  parts.sentence.setAttribute("aria-live", on ? "off" : "polite");
  if (!on) goTo(state.frame);
}

// What the picture of the plane is made of, as far as it is in this one.
function planeWords() {
  const {classes, listed} = data.plane, line = classes ? "it changes" : "it is in the middle of the labels' range";
  return `Colours tell the prediction${classes > 2 ? "" : `, the solid line is where ${line}`}` +
    `${listed && classes ? ", a cross marks a wrong one" : ""}; a dashed line is where a hidden unit's input is 0, its arrow points to where it is positive. `;
}

// A move by hand ends the playing.
const stop = frame => () => { if (state.timer !== null) play(false); goTo(frame()); };

function buildReplay(place) {
  const button = (text, go, label) => element("button", {type: "button", onclick: go, "aria-label": label}, text);
  const last = data.frames.length - 1;
  parts.slider = element("input", {type: "range", id: "slider", min: 0, max: last, step: 1, value: 0, oninput: () => stop(() => Number(parts.slider.value))()});
  parts.first = button("|◀", stop(() => 0), "the same start again");
  parts.back = button("◀", stop(() => state.frame - 1), "back");
  parts.next = button("▶", stop(() => state.frame + 1), "on");
  parts.last = button("▶|", stop(() => last), "to the end");
  parts.play = element("button", {type: "button", onclick: () => play(state.timer === null)}, "Play");
  parts.sentence = element("p", {class: "sentence", "aria-live": "polite"});
  parts.tables = element("div", {});
  parts.all = element("details", {class: "all", ontoggle: showTables}, element("summary", {}, "All numbers: weights and gradients at this epoch"), parts.tables);
  parts.print = element("div", {class: "print"});
  parts.panels = data.runs.map(panel);
  const small = data.runs.some(run => run.parameters && !run.every);
  place.replaceChildren(element(data.playground ? "h2" : "h1", {}, data.title),
    element("div", {class: "controls", role: "group", "aria-label": "epochs"}, parts.first, parts.back,
      element("label", {class: "spoken", for: "slider"}, "Epoch"), parts.slider, parts.next, parts.last, parts.play),
    parts.sentence, element("div", {class: "runs"}, ...parts.panels.map(each => each.made)),
    ...(data.runs.some(run => run.parameters) ? [parts.all] : []),
    element("p", {class: "remark"}, (data.frames[last] > last ? `${last + 1} of ${data.frames[last] + 1} epochs are shown, more of the early ones. ` : "") +
      (data.plane ? planeWords() : "") +
      (small ? "Networks with many parameters are shown by the size of each tensor, the root mean square of its entries. " : "") +
      "Keys: arrows left and right, Home, End, P to play."), parts.print);
  goTo(state.frame, true);
}

function listen() {
  document.addEventListener("keydown", event => {
    if (event.target.closest("input, textarea, select, .scroll") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {ArrowLeft: state.frame - 1, ArrowRight: state.frame + 1, Home: 0, End: data.frames.length - 1};
    if (event.key in moves) { event.preventDefault(); stop(() => moves[event.key])(); }
    if (event.key === "p" || event.key === "P") play(state.timer === null);
  });
  addEventListener("beforeprint", () => parts.print.replaceChildren(...data.runs.map(printed)));
  addEventListener("afterprint", () => parts.print.replaceChildren());
  addEventListener("hashchange", fromAddress);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => goTo(state.frame, true));
  fromAddress();
}

// On paper: each run at six of its frames, and its numbers at the first and the last.
function printed(run) {
  const last = data.frames.length - 1, chosen = [...new Set([0, 0.2, 0.4, 0.6, 0.8, 1].map(part => Math.round(part * last)))];
  return element("section", {class: "printed"}, element("h2", {}, `${run.name}${run.verdict ? `: ${run.verdict}` : ""}`),
    ...run.said.map(sentence => element("p", {}, sentence)),
    element("div", {class: "runs"}, ...chosen.map(frame => element("div", {}, element("p", {}, `Epoch ${data.frames[frame]}: ${runSentence(run, frame)}`),
      ...(run.cells ? [drawPlane(run, frameOf(run, frame), [255, 255, 255])] : [])))),
    ...(run.parameters ? [0, last].map(frame => element("div", {class: "tables"}, element("p", {}, `Epoch ${data.frames[frame]}`), ...numbersOf(run, frame))) : []));
}

function fromAddress() {
  const match = location.hash.match(/^#epoch=(\d+)$/), wanted = match ? Number(match[1]) : null;
  const found = data.frames.findIndex(epoch => epoch >= wanted);
  goTo(wanted === null ? state.frame : found < 0 ? data.frames.length - 1 : found, wanted === null);
}

if (!data.playground) {
  buildReplay(document.getElementById("page"));
  listen();
}
