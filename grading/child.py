"""The program in the box: it imports a student's file and does what the parent asks. It knows no right answer.

`python -I -S -B child.py SETTINGS`, with SETTINGS in JSON: descriptors, limits, uid, paths. It is copied into the box
beside frames.py and refused.py, and needs NumPy alone.
"""
import ast
import builtins
import importlib
import importlib.machinery
import importlib.util
import json
import os
import sys


def lower_rights(settings):
    """Take on the box's uid and limits, before a line of the student's runs; nothing of it can be taken back."""
    if settings["uid"] is not None:
        os.setgroups([])
        os.setresgid(*[settings["uid"]] * 3)
        os.setresuid(*[settings["uid"]] * 3)
    import resource
    for name, value in settings["limits"].items():
        kind = getattr(resource, name, None)
        if kind is not None:
            try:
                resource.setrlimit(kind, (value, value + 1 if name == "RLIMIT_CPU" else value))
            except (ValueError, OSError):  # macOS refuses some, and a lower limit may be set already
                pass


class Missing:
    """Stands for a name whose import failed; only its use is an error."""

    def __init__(self, name, error):
        self.__dict__.update(_name=name, _error=error)

    def _complain(self, *_, **__):
        raise ImportError("%s can't be imported here: %s" % (self._name, self._error))

    __getattr__ = __call__ = __getitem__ = __iter__ = __array__ = __mro_entries__ = _complain


def guarded(tree):
    """Return a module's syntax tree in which an import at its top that fails binds Missing objects instead."""
    body = []
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "module", "") != "__future__":
            names = [(alias.asname or alias.name.split(".")[0], alias.name) for alias in node.names
                     if alias.name != "*"]
            handler = ast.ExceptHandler(
                type=ast.Name(id="ImportError", ctx=ast.Load()), name="_import_error",
                body=[ast.parse("%s = __import__('_grading_child').Missing(%r, str(_import_error))" % pair).body[0]
                      for pair in names] or [ast.Pass()])
            guard = ast.Try(body=[node], handlers=[handler], orelse=[], finalbody=[])
            for part in ast.walk(handler):
                ast.copy_location(part, node)
            body.append(ast.fix_missing_locations(ast.copy_location(guard, node)))
        else:
            body.append(node)
    tree.body = body
    return tree


class StudentLoader(importlib.machinery.SourceFileLoader):
    """Loads a student's file: an unused import of what isn't here must not cost anything."""

    def source_to_code(self, data, path, *, _optimize=-1):
        return compile(guarded(ast.parse(data, path)), path, "exec", dont_inherit=True)


class StudentFinder:
    """Finds the student's own files among the others."""

    def __init__(self, files):
        self.files = files  # module name -> path

    def find_spec(self, name, path=None, target=None):
        if name in self.files:
            return importlib.util.spec_from_file_location(name, self.files[name],
                                                          loader=StudentLoader(name, self.files[name]))


class Child:
    """Answers the parent's questions until the pipe ends."""

    def __init__(self, settings):
        import frames
        self.frames = frames
        self.settings = settings
        self.source, self.sink = settings["read"], settings["write"]
        self.objects = []
        self.inputs = {}

    # ------------------------------------------------------------------ the pipe

    def read(self, count):
        parts = []
        while count:
            part = os.read(self.source, count)
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def receive(self):
        header, body = self.frames.sizes(self.read(self.frames.PREFIX.size))
        return self.frames.decode(self.read(header), self.read(body))

    def write(self, data):
        data = memoryview(data)
        while data:
            data = data[os.write(self.sink, data):]

    def ask(self, header, arrays=()):
        """Ask the parent in the middle of a call: the stand-ins for modules do."""
        self.write(self.frames.encode(dict(header, id="ask"), arrays))
        return self.receive()

    def serve(self):
        while True:
            question, arrays = self.receive()
            try:
                answer, results = getattr(self, "do_" + question["op"])(question, arrays)
                data = self.frames.encode(dict(answer, id=question["id"]), results)
            except BaseException as error:
                data = self.frames.encode({"error": self.describe(error), "id": question["id"]})
            self.write(data)

    def describe(self, error):
        """Return what the parent may tell the student of an exception: its type, words, and the line in their file."""
        place = None
        trace = error.__traceback__
        while trace is not None:
            path = trace.tb_frame.f_code.co_filename
            if path in self.settings["student_paths"]:
                place = [self.settings["student_paths"][path], trace.tb_lineno]
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename in self.settings["student_paths"]:
            place = [self.settings["student_paths"][error.filename], error.lineno or 0]
        kinds = [cls.__name__ for cls in type(error).__mro__[:-1]]
        try:
            words = str(error.msg if isinstance(error, SyntaxError) else error)[:300]
        except BaseException:
            words = ""
        return {"kinds": [str(kind)[:60] for kind in kinds[:8]], "words": words, "place": place}

    # ------------------------------------------------------------------ what can be asked

    def do_import(self, question, arrays):
        """Import the student's file; then put the reference's classes and functions in place of the other gaps'."""
        if question.get("remote"):
            import remote
            remote.install(self, question["remote"])
        module = importlib.import_module(question["module"])
        for name, path in question["overrides"]:
            if name in question.get("remote", {}):
                continue
            spec = importlib.util.spec_from_file_location(
                "lib._other_gaps", os.path.join(self.settings["here"], path))
            other = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(other)
            owner, reference = module, other
            for part in name.split(".")[:-1]:
                owner, reference = getattr(owner, part), getattr(reference, part)
            setattr(owner, name.split(".")[-1], getattr(reference, name.split(".")[-1]))
        return {}, ()

    def build(self, tree, places):
        arguments = [self.build(part, places) if isinstance(part, list) else part for part in tree[1:]]
        module = importlib.import_module(places[tree[0]])
        names = [name for name in vars(module) if name.lower() == tree[0].lower()]  # the sheet also writes Relu
        return getattr(module, tree[0] if tree[0] in names or not names else names[0])(*arguments)

    def keep(self, value):
        self.objects.append(value)
        return {"handle": len(self.objects) - 1}

    def do_make(self, question, arrays):
        """Make a module from a list such as ["Sequential", ["Linear", 2, 3], ["ReLU"]]."""
        module = self.build(question["tree"], question["places"])
        return self.keep(module), [value for param in module.parameters() for value in (param.data, param.grad)]

    def do_parameters(self, question, arrays):
        """Make a list of parameters from their values and gradients, in turns."""
        cls = importlib.import_module("lib.network_base").Parameter
        params = []
        for data, grad in zip(arrays[::2], arrays[1::2]):
            params.append(cls(data))
            params[-1].grad = grad
        return self.keep(params), ()

    def parameters_of(self, handle):
        kept = self.objects[handle]
        return kept if isinstance(kept, list) else kept.parameters()

    def do_set(self, question, arrays):
        """Set every parameter's value and gradient."""
        for param, data, grad in zip(self.parameters_of(question["handle"]), arrays[::2], arrays[1::2]):
            param.data, param.grad = data, grad
        return {}, ()

    def do_read(self, question, arrays):
        """Send every parameter's value and gradient; `add` first adds 1 to the first gradient, in place."""
        params = self.parameters_of(question["handle"])
        if question.get("add"):
            params[0].grad += 1
        return {}, [value for param in params for value in (param.data, param.grad)]

    def do_forward(self, question, arrays):
        """Run forward; send the output and what has become of the inputs."""
        output = self.objects[question["handle"]](*arrays)
        self.inputs[question["handle"]] = arrays
        return {}, [output] + arrays

    def do_backward(self, question, arrays):
        """Run backward; send what it returns, what has become of its argument and of forward's inputs, and the rest."""
        handle = question["handle"]
        backward = self.objects[handle].backward
        code = getattr(backward, "__code__", None)
        needs_nothing = code is not None and code.co_argcount - len(backward.__defaults__ or ()) == 1
        is_loss = len(arrays) == 1 and arrays[0] is None
        result = backward() if is_loss and needs_nothing else backward(*arrays)  # as loss_fn.backward() does
        return {"inputs": len(self.inputs[handle])}, \
            [result] + (arrays or [None]) + self.inputs[handle] + self.do_read(question, ())[1]

    def argument(self, described, arrays):
        if "array" in described:
            return arrays[described["array"]]
        if "handle" in described:
            kept = self.objects[described["handle"]]
            how = {"parameters": lambda module: module.parameters(), "tuple": tuple}.get(described.get("as"))
            return how(kept) if how else kept
        if "list" in described:
            return [self.argument(part, arrays) for part in described["list"]]
        if "dict" in described:
            return {key: self.argument(part, arrays) for key, part in described["dict"].items()}
        return described["value"]

    def do_call(self, question, arrays):
        """Call a function; send the arrays in what it returns, in order, and the names if it is a dictionary."""
        function = importlib.import_module(question["module"])
        for name in question["name"].split("."):
            function = getattr(function, name)
        result = function(*[self.argument(described, arrays) for described in question["arguments"]])
        names = [str(name)[:40] for name in result][:100] if isinstance(result, dict) else None
        flat = []
        self.flatten(list(result.values()) if isinstance(result, dict) else result, flat)
        return {"names": names}, flat[:200]

    def flatten(self, value, flat):
        if isinstance(value, (list, tuple)) and len(flat) < 200:
            for part in value:
                self.flatten(part, flat)
        else:
            flat.append(value)


def main():
    settings = json.loads(sys.argv[1])
    lower_rights(settings)
    here = os.path.dirname(os.path.abspath(__file__))
    standard = [path for path in sys.path if path and path != here]
    sys.path[:] = [here, os.path.join(here, "code")] + standard + settings["packages"]
    import refused
    refused.refuse()
    sys.modules["_grading_child"] = sys.modules["__main__"]
    files = {name: os.path.join(here, path) for name, path in settings["student_files"].items()}
    settings["student_paths"] = {path: name for name, path in files.items()}
    own = {name: path for name, path in files.items() if name.startswith("lib.")}
    sys.meta_path.insert(0, StudentFinder(own))
    sys.meta_path.append(StudentFinder(files))  # a planted numpy.py or random.py comes after the real one
    builtins.input = lambda prompt="": ""  # a forgotten input() must not end anything
    sys.argv[:] = ["grading"]
    settings["here"] = here
    child = Child(settings)
    del sys.modules["frames"], sys.modules["refused"]
    child.serve()


if __name__ == "__main__":
    main()
