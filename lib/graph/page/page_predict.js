// Predict first: a number is asked for before it is shown; a wrong one is compared with known mistakes.

const predict = {on: false, answers: new Map(), missed: new Set()};  // answers: step -> "right", "wrong", "shown"

function quantityOf(step) {
  if (step.phase === "backward") return data.edges[step.edge].flow;
  const node = data.nodes[step.node];
  return step.phase === "update" ? node.new : step.phase === "seed" ? node.grad : node.value;
}

// What known slips would give in a step: [{numbers, hint}].
function slipsOf(step) {
  const node = data.nodes[step.node], size = quantityOf(step).length, given = (numbers, hint) => ({numbers, hint});
  if (step.phase === "backward") return data.edges[step.edge].mistakes.map(mistake => given(mistake.flow, mistake.hint));
  if (step.phase === "forward") return node.parents.filter(k => k !== null && data.nodes[k].value.length === size).map(k =>
    given(data.nodes[k].value, `That is ${data.nodes[k].name} itself: the operation of this step is missing.`));
  if (step.phase !== "update") return [];
  const grad = node.grad || node.value.map(() => 0), each = rule => node.value.map((value, k) => rule(value, grad[k]));
  return [given(each((value, g) => value + data.rate * g), "The step goes against the gradient: minus, not plus."),
    given(each((value, g) => value - g), "The learning rate is missing."),
    given(each((value, g) => data.rate * g), "That is the length of the step; it is subtracted from the old value."),
    given(node.value, "That is the old value.")];
}

// The entry that is asked for: where most of the known slips would show, and if there are several, one that isn't 0,
// from a place that differs from step to step.
function askedEntry(index) {
  const numbers = quantityOf(data.steps[index]), slips = slipsOf(data.steps[index]), start = (7 * index) % numbers.length;
  const differs = (a, b) => Math.abs(a - b) > 1e-3 * Math.max(Math.abs(a), Math.abs(b));
  const telling = k => typeof numbers[k] !== "number" ? -1 : slips.filter(slip => differs(slip.numbers[k], numbers[k])).length + (numbers[k] !== 0 ? 0.5 : 0);
  let best = start;
  for (let k = 0; k < numbers.length; k++)
    if (telling((start + k) % numbers.length) > telling(best)) best = (start + k) % numbers.length;
  return best;
}

function canBeAsked(index) {
  const step = data.steps[index];
  return step.phase !== "seed" && typeof quantityOf(step)[askedEntry(index)] === "number";  // nan is nothing to type
}

function isAsked(index) {
  return predict.on && canBeAsked(index) && !predict.answers.has(index);
}

function isHidden(index, k) {
  return isAsked(index) && data.steps[index].phase === "forward" && data.steps[index].node === k;
}

// Read a number as it is written by hand: 0.25, 0,25, −3, 1/4, 2.5e-3. Returns {value, unit, digits} or null.
function readNumber(text) {
  const plain = text.replace(/\s/g, "").replace(/[−–]/g, "-").replace(",", ".").replace(/[·*x×]10\^?/i, "e");
  const fraction = plain.match(/^([+-]?\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/);
  if (fraction && Number(fraction[2])) return {value: Number(fraction[1]) / Number(fraction[2]), unit: 0, digits: Infinity};
  const match = plain.match(/^[+-]?(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i);
  if (!match || !(match[1] + match[2]) || !Number.isFinite(Number(plain))) return null;
  const exponent = Number(match[3] || 0), figures = (match[1] + match[2]).replace(/^0+/, "");
  const zeros = match[2] === "" && !plain.includes(".") ? figures.match(/0*$/)[0].length : 0;
  return {value: Number(plain), unit: 10 ** (exponent - match[2].length + zeros), digits: figures.length - zeros};
}

// "right" if some rounding of the true number gives the one that was typed; "coarse" if it is one to too few digits.
function compared(typed, right) {
  const error = Math.abs(typed.value - right), tiny = 1e-9 * Math.max(Math.abs(right), Math.abs(typed.value));
  if (error <= tiny) return "right";
  if (error > typed.unit / 2 * (1 + 1e-9) + tiny) return typed.unit === 0 && error <= 1e-4 * Math.abs(right) ? "right" : "wrong";
  return typed.digits >= 2 ? "right" : error <= Math.abs(right) / 4 ? "coarse" : "wrong";
}

function hintFor(index, entry, typed) {
  const step = data.steps[index], right = quantityOf(step)[entry], fits = number => compared(typed, number) === "right";
  if (fits(-right)) return "The size is right, the sign is not.";
  for (const slip of slipsOf(step)) if (fits(slip.numbers[entry])) return slip.hint;
  if (typed.value === 0) return "It isn't 0: a factor that you took as 0 is open, or a contribution is missing. If you " +
    "rounded, give two digits.";
  for (const [factor, name] of [[2, "2"], [data.examples, "1/N, the mean over the examples,"]]) {
    if (factor > 1 && fits(right * factor)) return factor === 2 ? "There is a factor of 2 too many." : `The factor ${name} is missing.`;
    if (factor > 1 && fits(right / factor)) return factor === 2 ? "A factor of 2 is missing." : `The factor ${name} is there twice.`;
  }
  return "It is none of the known slips. Put the numbers into the formula above, factor by factor.";
}

// The question of a step, with its field; answered() is called when the numbers may be shown.
function question(index, answered) {
  const step = data.steps[index], entry = askedEntry(index), node = data.nodes[step.node];
  const ofGradient = step.phase === "backward" || step.phase === "seed";
  const several = step.phase === "backward" && step.several > 1;
  const asked = ofGradient ? formula(gradientTree(step.node, entry), gradientSpoken(step.node, entry)) :
    formula(entryTree(node, entry), entrySpoken(node, entry));
  const before = step.phase === "update" ? "Which number is the new " : several ?
    `How much does ${data.nodes[data.edges[step.edge].child].name} contribute to ` : "Which number is ";
  const field = element("input", {id: "answer", type: "text", inputmode: "text", autocomplete: "off", size: 12});
  const say = text => { parts.reply.textContent = text; };
  const check = () => {
    const typed = readNumber(field.value);
    if (typed === null) { say("Please type a number, such as 0.25, −3 or 1/4."); return; }
    const right = quantityOf(step)[entry], verdict = compared(typed, right);
    if (verdict === "coarse") say("That is rounded too coarsely: give at least two digits.");
    else if (verdict === "right") {
      predict.answers.set(index, predict.missed.has(index) ? "wrong" : "right");
      answered(`Right: ${shown(right)}.`);
    } else { predict.missed.add(index); say(`Not yet. ${hintFor(index, entry, typed)}`); }
  };
  return element("form", {class: "question", onsubmit: event => { event.preventDefault(); check(); }},
    element("label", {for: "answer"}, before, asked, "?"), field,
    element("button", {type: "submit"}, "Check"),
    element("button", {type: "button", onclick: () => { predict.answers.set(index, "shown"); answered("Shown."); }}, "Show it"));
}

// At the end: which steps were right.
function score() {
  const count = kind => [...predict.answers.values()].filter(answer => answer === kind).length;
  const asked = data.steps.filter((_, index) => canBeAsked(index)).length;
  const open = [...predict.missed].filter(index => !predict.answers.has(index));
  const wrong = [...predict.answers].filter(([, answer]) => answer !== "right").map(([index]) => index).concat(open);
  wrong.sort((a, b) => a - b);
  const links = wrong.map(index => element("li", {}, element("a", {href: `#step=${index + 1}`}, `Step ${index + 1}: ${stepTitle(index)}`)));
  return element("section", {class: "score", "aria-label": "your predictions"}, element("h2", {}, "Your predictions"),
    element("p", {}, `${count("right")} of ${asked} steps right at once, ${count("wrong")} after a hint, ` +
      `${count("shown")} shown, ${open.length} answered wrongly, ${asked - predict.answers.size - open.length} left out.`),
    wrong.length ? element("p", {}, "Worth another look:") : null, element("ul", {}, ...links));
}
