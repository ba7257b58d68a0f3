// Runs CPython with NumPy, compiled to WebAssembly (WASI), and this library in it: one interpreter for all questions.

const ROOT = {};

async function start({runtime, files}) {
  const shim = await import(new URL("browser_wasi_shim/index.js", runtime).href);
  const {WASI, File, Directory, PreopenDirectory, OpenFile, ConsoleStdout} = shim;
  const fetched = async name => {
    const response = await fetch(new URL(name, runtime));
    if (!response.ok) throw new Error(`${name} isn't there`);
    return response;
  };
  const [program, zip] = await Promise.all([WebAssembly.compileStreaming(fetched("python-snapshot.wasm")),
    fetched("python-stdlib.zip").then(response => response.arrayBuffer())]);
  const folder = contents => new Directory(new Map(Object.entries(contents).map(([name, inside]) =>
    [name, typeof inside === "string" ? new File(new TextEncoder().encode(inside)) : folder(inside)])));
  const said = [], console_ = ConsoleStdout.lineBuffered(line => said.push(line));
  const tree = folder(files), work = new Directory(new Map());
  const top = new PreopenDirectory("/", new Map([["project", tree], ["tmp", work]]));
  const library = new PreopenDirectory("/usr/local/lib", new Map([["python315.zip", new File(zip, {readonly: true})]]));
  const wasi = new WASI(["/usr/local/bin/python.wasm"], ["TMPDIR=/tmp", "PYTHONTZPATH=", "HOME=/tmp"],
    [new OpenFile(new File([])), console_, console_, top, library], {debug: false});
  const instance = await WebAssembly.instantiate(program, {wasi_snapshot_preview1: {...wasi.wasiImport, poll_oneoff: () => 58},
    host: {call: () => -1}});
  wasi.inst = instance;
  if (instance.exports._initialize) instance.exports._initialize();
  Object.assign(ROOT, {instance, work, said, File});
  run("import sys; sys.path.insert(0, '/project'); import lib.graph.page.in_browser");
}

// Run lines of Python in the interpreter; what it prints is collected.
function run(code) {
  const {instance, said} = ROOT, bytes = new TextEncoder().encode(code), {host_alloc, turn, memory} = instance.exports;
  said.length = 0;
  const place = host_alloc(bytes.length) >>> 0;
  new Uint8Array(memory.buffer).set(bytes, place);
  const status = turn(place, bytes.length);
  if (status !== 0) throw new Error(said.join("\n") || `Python ended with ${status}`);
}

onmessage = async ({data}) => {
  try {
    if (data.start) {
      await start(data.start);
      postMessage({ready: true});
      return;
    }
    const {work, File} = ROOT;
    work.contents.set("question.json", new File(new TextEncoder().encode(JSON.stringify({...data.question, file: "/tmp/typed_in.py"}))));
    run("lib.graph.page.in_browser.main('/tmp/question.json', '/tmp/answer.json')");
    postMessage({number: data.number, answer: JSON.parse(new TextDecoder().decode(work.contents.get("answer.json").data))});
  } catch (error) {
    postMessage({number: data.number, failed: String(error && error.message || error)});
  }
};
