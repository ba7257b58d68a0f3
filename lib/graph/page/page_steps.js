// The page itself: its parts, and going from step to step by slider, buttons, keys and address.

const PHASES = {forward: "Forward pass", seed: "Backward pass", backward: "Backward pass", update: "Update"};
const state = {index: 0};
const parts = {};

function stepTitle(index) {
  const step = data.steps[index], node = data.nodes[step.node];
  if (step.phase === "forward") return `Compute ${node.name}`;
  if (step.phase === "seed") return `Begin at ${node.name}`;
  if (step.phase === "update") return `Update ${node.name}`;
  return `From ${data.nodes[data.edges[step.edge].child].name} back to ${node.name}`;
}

function stepSentence(index) {
  const step = data.steps[index], node = data.nodes[step.node], title = `Step ${index + 1} of ${data.steps.length}`;
  if (step.phase === "forward") return `${title}, forward: ${node.name} is computed from ${
    node.parents.filter(k => k !== null).map(k => data.nodes[k].name).join(" and ")}.`;
  if (step.phase === "seed") return `${title}, backward: the derivative of ${node.name} by itself is 1.`;
  if (step.phase === "update") return `${title}, update: ${node.name} moves against its gradient, learning rate ${data.rate}.`;
  const child = data.nodes[data.edges[step.edge].child].name;
  const sum = step.several === 1 ? "" : step.last ? ` It is the last of ${step.several} contributions: their sum is complete.` :
    ` It is one of ${step.several} contributions, which are added.`;
  return `${title}, backward: ${child} sends its product to ${node.name}.${sum}`;
}

function goTo(index, quietly) {
  state.index = Math.max(0, Math.min(data.steps.length - 1, index));
  parts.slider.value = state.index;
  parts.slider.setAttribute("aria-valuetext", `Step ${state.index + 1} of ${data.steps.length}: ${stepTitle(state.index)}`);
  parts.sentence.textContent = stepSentence(state.index);
  parts.first.disabled = parts.back.disabled = state.index === 0;
  parts.next.disabled = parts.last.disabled = state.index === data.steps.length - 1;
  parts.panel.replaceChildren(...stepParts(state.index, false));
  parts.reply.textContent = "";
  if (isAsked(state.index)) parts.opened.hidden = true;  // it may show what is asked
  parts.nearby.replaceChildren(...nearby(state.index));
  mark(state.index);
  if (predict.on) { showTables(); parts.score.replaceChildren(...(state.index === data.steps.length - 1 ? [score()] : [])); }
  if (!quietly && location.protocol !== "about:") history.replaceState(null, "", `#step=${state.index + 1}`);
}

function goToNode(k) {
  const found = data.steps.findIndex(step => step.phase === "forward" && step.node === k);
  goTo(found >= 0 ? found : Math.max(0, data.steps.findIndex(step => step.node === k)));
}

// What a step shows: its formula with letters and with numbers, shapes, where a transpose comes from, and its entries.
function stepParts(index, printed) {
  const step = data.steps[index], node = data.nodes[step.node], asked = isAsked(index) && !printed, made = [];
  made.push(element(printed ? "h3" : "h2", {}, `${PHASES[step.phase]}: ${stepTitle(index)}`));
  if (printed) made.push(element("p", {}, stepSentence(index)));
  const whole = formula(partialTree(step.node), `the derivative of ${data.nodes[data.output].spoken} by ${node.spoken}`);
  const contributes = step.phase === "backward" && step.several > 1 ? ["Contribution to ", whole, ": "] : [];
  made.push(element("p", {class: "letters", tabindex: printed ? null : "0", role: printed ? null : "region",
    "aria-label": printed ? null : "formula"}, ...contributes, both(step.letters)));
  if (asked) {
    made.push(question(index, said => { goTo(index); parts.reply.textContent = said; parts.next.focus(); }));
  } else if (step.numbers && whatIf.changed) {
    made.push(element("p", {class: "remark"}, "The entries below are those of the changed numbers."));
  } else if (step.numbers) {
    made.push(element("div", {class: "scroll numbers", tabindex: "0", role: "region", "aria-label": "with numbers"},
      both(step.numbers)));
  }
  if (step.total) made.push(element("p", {}, "All together: ", both(step.total)));
  made.push(element("p", {class: "shapes"}, `Shapes: ${step.shapes}.`));
  if (step.why && step.why.length)
    made.push(element("details", {open: printed}, element("summary", {}, "Where shapes and transposes come from"),
      ...step.why.map(line => element("p", {}, both(line)))));
  if (!asked) made.push(...entries(step, printed));
  return made;
}

function entries(step, printed) {
  const node = data.nodes[step.node], numbers = quantityOf(step);
  if (step.phase === "backward" && step.last && !printed)
    return [gradientTable(step.node, " in this step"), element("p", {class: "remark"}, "Each entry opens as the products it is made of.")];
  const what = step.phase === "backward" ? `what flows to ${node.name}` : step.phase === "update" ? `new ${node.name}` :
    step.phase === "seed" ? node.derivative : node.name;
  return [table(node, what, flat => numberElement(numbers[flat]), " in this step")];
}

function gradientTable(k, place) {
  const node = data.nodes[k];
  return table(node, node.derivative, flat => element("button", {type: "button", class: "entry", "data-node": k, "data-flat": flat,
    "aria-label": `${gradientText(k, flat)} = ${shown(node.grad[flat])}: open it`, onclick: () => open(k, flat)},
    numberElement(node.grad[flat])), place);
}

function open(k, flat) {
  parts.opened.replaceChildren(element("h2", {tabindex: "-1"}, `${gradientText(k, flat)}, opened`), openedEntry(k, flat, 0));
  parts.opened.hidden = false;
  parts.opened.firstChild.focus();
}

// On a narrow screen: the step's node with what it is computed from and what is computed from it, as a list.
function nearby(index) {
  const k = data.steps[index].node, node = data.nodes[k];
  const parents = (node.parents || []).filter(each => each !== null);
  const children = data.nodes.flatMap((each, c) => (each.parents || []).includes(k) ? [c] : []);
  const items = (label, list) => list.length ? [element("li", {}, `${label}: `, ...list.flatMap(each =>
    [element("button", {type: "button", onclick: () => goToNode(each)}, data.picture.boxes[each][4]), " "]))] : [];
  return [element("h2", {}, `Around ${node.name}`), element("ul", {}, ...items("computed from", parents),
    element("li", {}, "this step: ", element("strong", {}, data.picture.boxes[k][4])), ...items("used by", children))];
}

// All numbers, as tables; in predict mode those that are known by now.
function showTables() {
  const known = predict.on ? knownBefore(isAsked(state.index) ? state.index : state.index + 1) : null;
  const made = data.nodes.flatMap((node, k) => {
    const blocks = [];
    if (!known || known.values.has(k)) blocks.push(table(node, node.name, flat => numberElement(node.value[flat])));
    if (node.grad && (!known || known.gradients.has(k))) blocks.push(gradientTable(k));
    return blocks.length ? [element("div", {class: "pair"}, ...blocks)] : [];
  });
  parts.tables.replaceChildren(...made);
}

function showEnd() {
  const {before, after} = data.loss, lost = value => value === "nan" || Number.isNaN(value);
  const outcome = lost(before) ? `${data.nodes[data.output].name} is not defined for these numbers. ` :
    `${data.nodes[data.output].name} is ${shown(before)} and, after the update of ` +
    `all parameters with learning rate ${data.rate}, ${lost(after) ? "no longer defined: the step is too long" : shown(after)}. `;
  parts.end.textContent = `${predict.on ? "" : outcome}Keys: arrows left and right, Home, End.`;
}

function build() {
  const button = (text, go, label) => element("button", {type: "button", onclick: go, "aria-label": label}, text);
  parts.slider = element("input", {type: "range", id: "slider", min: 0, max: data.steps.length - 1, step: 1, value: 0,
    oninput: () => goTo(Number(parts.slider.value))});
  parts.first = button("|◀", () => goTo(0), "first step");
  parts.back = button("◀", () => goTo(state.index - 1), "step back");
  parts.next = button("▶", () => goTo(state.index + 1), "next step");
  parts.last = button("▶|", () => goTo(data.steps.length - 1), "last step");
  parts.predict = element("button", {type: "button", "aria-pressed": "false", onclick: () => {
    predict.on = !predict.on;
    parts.predict.setAttribute("aria-pressed", String(predict.on));
    showTables();
    parts.opened.hidden = true;
    showEnd();
    tellEffect();
    if (!predict.on) parts.score.replaceChildren();
    goTo(predict.on ? 0 : state.index);
  }}, "Predict first");
  for (const name of ["panel", "nearby", "tables", "score"]) parts[name] = element("div", {class: name});
  parts.opened = element("section", {class: "inspect", hidden: true, "aria-label": "opened gradient"});
  parts.sentence = element("p", {class: "sentence", "aria-live": "polite"});
  parts.print = element("div", {class: "print"});
  parts.end = element("p", {class: "remark"});
  parts.reply = element("p", {class: "reply", role: "status"});
  const drawings = [element("div", {class: "drawing scroll graph", tabindex: "0", role: "region", "aria-label": "graph"}, drawGraph())];
  if (data.scheme) drawings.unshift(element("div", {class: "drawing scroll scheme", tabindex: "0", role: "region",
    "aria-label": "network"}, drawScheme()));
  document.getElementById("page").append(
    element("h1", {}, data.title),
    element("div", {class: "controls", role: "group", "aria-label": "steps"}, parts.first, parts.back,
      element("label", {class: "spoken", for: "slider"}, "Step"), parts.slider, parts.next, parts.last, parts.predict),
    parts.sentence, element("div", {class: "drawings"}, ...drawings), parts.nearby,
    parts.whatIf = whatIfSection(), parts.panel, parts.reply, parts.score, parts.opened,
    element("details", {class: "all", open: true}, element("summary", {}, "All numbers: values and gradients"), parts.tables),
    parts.end, parts.print);
  document.addEventListener("keydown", event => {
    if (event.target.closest("input, textarea, .scroll") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {ArrowLeft: state.index - 1, ArrowRight: state.index + 1, Home: 0, End: data.steps.length - 1};
    if (event.key in moves) { event.preventDefault(); goTo(moves[event.key]); }
  });
  addEventListener("beforeprint", () => {
    markAll();
    parts.print.replaceChildren(...data.steps.map((_, index) => element("section", {class: "printed"}, ...stepParts(index, true))));
  });
  addEventListener("afterprint", () => { parts.print.replaceChildren(); mark(state.index); });
  addEventListener("hashchange", () => fromAddress(location.hash));
  showTables();
  showEnd();
  const address = location.hash;  // before the first step that is shown replaces it
  if (data.predict) parts.predict.click();
  fromAddress(address);
}

function fromAddress(address) {
  const match = address.match(/^#step=(\d+)$/);
  goTo(match ? Number(match[1]) - 1 : state.index, !match);
}

build();
