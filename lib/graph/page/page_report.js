// The page of a gradient report: heat maps of each gradient, the cause, and the student's backward beside the right one.

function colour(value, scale) {
  if (typeof value === "string" || !scale) return "";
  const strength = Math.min(1, Math.abs(value) / scale) * 55;
  return `background: color-mix(in srgb, ${value < 0 ? "#2f7ac0" : "#d9741f"} ${strength.toFixed(0)}%, var(--paper))`;
}

// A map: each entry with its number and its sign, in a colour as strong as it is large.
function map(tensor, title, numbers, scale) {
  const node = {shape: tensor.shape};
  const made = table(node, title, flat => numberElement(numbers[flat]), ` of ${tensor.name}`);
  made.classList.add("map");
  [...made.querySelectorAll(".number")].forEach((each, flat) => {
    const cell = each.closest("td");
    cell.style.cssText = colour(numbers[flat], scale);
    if (tensor.worst.includes(flat)) cell.classList.add("worst");
  });
  return made;
}

function tensorPart(tensor) {
  const made = [element("h2", {}, tensor.name === "input" ? "dL/d(input), what backward returns" : `${tensor.name}.grad`)];
  if (tensor.reason) made.push(element("p", {}, tensor.reason));
  if (tensor.list) made.push(element("ul", {}, ...tensor.list.map(([flat, expected, got]) => element("li", {},
    `[${indicesOf(tensor.shape, flat).join(",")}]: expected `, numberElement(expected), ", got ", numberElement(got)))));
  if (tensor.fits && tensor.expected) made.push(element("p", {}, "Every entry is right."));
  if (!tensor.fits && tensor.adds) made.push(element("p", {}, `Each entry held ${data.before} before the pass; "got" is what ` +
    "backward has added to it. Where the difference is that number, it was overwritten."));
  if (!tensor.expected) return element("section", {}, ...made);
  const finite = tensor.expected.concat(tensor.got || []).filter(value => typeof value === "number").map(Math.abs);
  const scale = Math.max(...finite, 0), maps = [map(tensor, "expected", tensor.expected, scale)];
  if (tensor.got) {
    const difference = tensor.got.map((value, k) => typeof value === "string" ? value : value - tensor.expected[k]);
    maps.push(map(tensor, "got", tensor.got, scale));
    if (!tensor.fits) {
      maps.push(map(tensor, "difference", difference, scale));
      const worst = tensor.worst.map(flat => `[${indicesOf(tensor.shape, flat).join(",")}]`).join(", ");
      made.push(element("p", {}, `${tensor.wrong} of ${tensor.expected.length} entries are wrong; the worst, framed: ${worst || "the number"}.`));
    }
  }
  made.push(element("div", {class: "maps"}, ...maps));
  return element("section", {}, ...made);
}

function code(title, lines) {
  return element("div", {}, element("h3", {}, title),
    element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": title}, element("pre", {}, ...lines)));
}

function buildReport() {
  const main = document.getElementById("page");
  main.append(element("h1", {}, data.title));
  if (data.place) main.append(element("p", {class: "shapes"}, data.place));
  if (data.raised) main.append(element("p", {class: "reply"}, `backward raises ${data.raised}`));
  data.causes.forEach((cause, k) => main.append(element("section", {class: "cause"},
    element("h2", {}, k ? "Or" : "The likely cause"), element("p", {class: "sentence"}, cause.sentence),
    cause.evidence ? element("p", {}, `How that is known: ${cause.evidence}`) : null,
    cause.question ? element("p", {}, `To think about: ${cause.question}`) : null)));
  data.problems.forEach(problem => main.append(element("p", {}, `Also: ${problem}`)));
  main.append(...data.tensors.map(tensorPart));
  const mine = data.lines.map(line => element("span", {class: line.mark ? "part" : null},
    `${String(line.number).padStart(4)}  ${line.text}${line.mark ? `    ← ${line.mark}` : ""}\n`));
  const codes = element("div", {class: "codes"});
  if (mine.length) codes.append(code(data.part ? `The backward of ${data.part}` : "Your backward", mine));
  if (data.right.length) codes.append(code("The graph of its forward, and the right backward", [data.right.join("\n")]));
  main.append(codes);
  if (data.lines.some(line => line.mark === "here the numbers part")) main.append(element("p", {class: "remark"},
    "Marked is the first line whose result stands nowhere in the right backward: no value, no local derivative and no gradient has these numbers."));
  data.warnings.forEach(warning => main.append(element("p", {class: "remark"}, warning)));
}

buildReport();
