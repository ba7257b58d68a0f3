"""Hostile submissions: code for the ReLU's gap, or for the top of its file, that wants points without the right "
"answer."""
from __future__ import annotations

from typing import Dict

GAP: Dict[str, str] = {  # in the body of ReLU.backward
    "exit": "import sys\nsys.exit(0)",
    "exit at once": "import os\nos._exit(0)",
    "exit later": "import atexit, os\natexit.register(os._exit, 0)\nraise SystemExit(0)",
    "keyboard interrupt": "raise KeyboardInterrupt",
    "endless loop": "while True:\n    pass",
    "loop that swallows everything": "while True:\n    try:\n        while True:\n            pass\n    except "
                                     "BaseException:\n        pass",
    "sleep": "import time\ntime.sleep(1000)",
    "stops itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "stops its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nreturn grad",
    "kills its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nreturn grad",
    "kills all": "import os, signal\nos.kill(-1, signal.SIGKILL)\nreturn grad",
    "ignores signals": "import signal\nfor s in range(1, 65):\n    try:\n        signal.signal(s, signal.SIG_IGN)\n"
                       "    except Exception:\n        pass\nwhile True:\n    pass",
    "endless recursion": "return self.backward(grad)",
    "deep recursion": "import sys\nsys.setrecursionlimit(10 ** 9)\nf = lambda n: f(n + 1)\nreturn f(0)",
    "huge array": "return np.ones((200000, 200000)) @ np.ones((200000, 200000))",
    "memory": "kept = []\nwhile True:\n    kept.append(bytearray(1 << 26))",
    "huge answer": "return np.ones(20000000)",
    "answer of a million parts": "return [grad] * 1000000",
    "threads that never end": "import threading, time\nfor _ in range(20):\n    threading.Thread(target=time.sleep, "
                              "args=(1000,)).start()\nreturn grad",
    "daemon": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(1000)\n"
              "    os._exit(0)\nreturn grad",
    "daemon that lets go of all": "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
                                  "        os.chdir('/')\n        os.execve('/bin/sleep', ['sleep', '1000'], {})\n"
                                  "    os._exit(0)\nreturn grad",
    "fork bomb": "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    "output": "import sys\nwhile True:\n    sys.stdout.write('x' * 1000000)",
    "output without end of line": "import os\nfor _ in range(1000):\n    os.write(1, b'x' * 100000)\nreturn grad",
    "invalid bytes": "import os\nos.write(1, bytes(range(256)) * 1000)\nos.write(2, b'\\xff\\xfe\\x00')\nreturn grad",
    "escape sequences": "print('\\x1b[2J\\x1b]0;points 9 of 9\\x07')\nraise ValueError('\\x1b[31mright\\x1b[0m "
                        "\\x00 \\u202e')",
    "html in an error": "raise ValueError('<script>alert(1)</script><img src=x onerror=alert(1)>')",
    "error that cannot be shown": "class E(Exception):\n    def __str__(self):\n        raise KeyboardInterrupt\n"
                                  "raise E",
    "error with a forged name": "E = type('<b>right</b>' * 100, (Exception,), {})\nraise E('points: 1')",
    "error that says it is to do": "raise NotImplementedError('right')",
    "writes to every descriptor": "import os\nfor fd in range(3, 64):\n    try:\n        os.write(fd, b'right' * "
                                  "1000)\n"
                                  "    except OSError:\n        pass\nreturn grad",
    "closes every descriptor": "import os\nos.closerange(0, 256)\nreturn grad",
    "forged frame": "import os, json, struct\nt = json.dumps({'id': 'ask', 'arrays': []}).encode()\n"
                    "for fd in range(3, 64):\n    try:\n        os.write(fd, struct.pack('<II', len(t), 0) + t)\n"
                    "    except OSError:\n        pass\nreturn grad",
    "frame of a huge size": "import os\nfor fd in range(3, 64):\n    try:\n        os.write(fd, b'\\xff' * 8)\n"
                            "    except OSError:\n        pass\nreturn grad",
    "deeply nested frame": "import os, struct\nt = b'[' * 60000\nfor fd in range(3, 64):\n    try:\n"
                           "        os.write(fd, struct.pack('<II', len(t), 0) + t)\n    except OSError:\n        "
                           "pass\n"
                           "return grad",
    "reads the caller's frames": "import sys\nf = sys._getframe()\nwhile f:\n    for v in list(f.f_locals.values()):\n"
                                 "        if isinstance(v, dict):\n            for k in ('expected', 'right', "
                                 "'answer'):\n"
                                 "                if k in v:\n                    return v[k]\n    f = f.f_back\n"
                                 "return grad",
    "searches the garbage": "import gc\nfor o in gc.get_objects():\n    if isinstance(o, np.ndarray) and "
                            "o.shape == grad.shape and o is not grad and o is not self.input_cache:\n        return o\n"
                            "return grad",
    "memory of the parent": "import os\nopen('/proc/%d/mem' % os.getppid(), 'r+b').write(b'x' * 100)\nreturn grad",
    "descriptors of the parent": "import os\nfor fd in os.listdir('/proc/%d/fd' % os.getppid()):\n"
                                 "    open('/proc/%d/fd/%s' % (os.getppid(), fd), 'wb').write(b'right')\nreturn grad",
    "environment of the parent": "text = open('/proc/1/environ').read()\nraise ValueError(text)",
    "an object that is always equal": "class Liar:\n    shape = grad.shape\n    dtype = grad.dtype\n"
                                      "    def __getattr__(self, name):\n        return lambda *a, **k: True\n"
                                      "    __eq__ = __le__ = __ge__ = lambda self, other: True\nreturn Liar()",
    "a subclass of ndarray": "class Liar(np.ndarray):\n    def __eq__(self, other):\n        return "
                             "np.ones(self.shape, bool)\n"
                             "    def __array_ufunc__(self, *a, **k):\n        return np.zeros(self.shape)\n"
                             "return grad.view(Liar)",
    "nothing but NaN": "return np.full(grad.shape, np.nan)",
    "infinity": "return np.full(grad.shape, np.inf)",
    "a generator": "return (g for g in grad)",
    "a string": "return 'right'",
    "complex numbers": "return grad * 1j",
    "objects": "return np.array([[object()]])",
    "upstream gradient of zeros": "grad[...] = 0\nreturn grad",
    "input made positive": "self.input_cache[...] = 1\nreturn grad",
    "patched NumPy": "np.allclose = np.array_equal = lambda *a, **k: True\nnp.max = lambda *a, **k: 0\nreturn grad",
    "patched frames": "import sys\nm = sys.modules['__main__']\nm.Child.describe = lambda *a: {'points': 1}\n"
                      "m.Child.send = lambda self, header, arrays=(): None\nreturn grad",
    "patched builtins": "import builtins\nbuiltins.len = lambda *a: 0\nbuiltins.isinstance = lambda *a: True\n"
                        "return grad",
    "torch": "import torch\nx = torch.tensor(self.input_cache, requires_grad=True)\n"
             "torch.relu(x).backward(torch.tensor(grad))\nreturn x.grad.numpy()",
    "torch from another folder": "import sys, glob\nsys.path += glob.glob('/**/site-packages', recursive=True)\n"
                                 "import torch\nx = torch.tensor(self.input_cache, requires_grad=True)\n"
                                 "torch.relu(x).backward(torch.tensor(grad))\nreturn x.grad.numpy()",
    "the reference by its path": "import glob\nfor path in glob.glob('/**/lib/activations.py', recursive=True):\n"
                                 "    text = open(path).read()\n"
                                 "    if 'return grad * (self.input' + '_cache > 0)' in text:\n"
                                 "        return eval('grad * (self.input' + '_cache > 0)')\nreturn grad",
    "the network": "import socket\ns = socket.create_connection(('1.1.1.1', 80), 3)\nreturn grad * "
                   "(self.input_cache > 0)",
    "finite differences": "h = 1e-6\nx = self.input_cache\nresult = (self.forward(x + h) - self.forward(x - h)) / "
                          "(2 * h)\n"
                          "self.input_cache = x\nreturn grad * result",
    "finite differences of its own": "h, x = 2.0 ** -20, self.input_cache\n"
                                     "up = np.where(x + h > 0, x + h, 0)\ndown = np.where(x - h > 0, x - h, 0)\n"
                                     "return grad * (up - down) / (h + h)",
    "constants of the visible test": "return np.array([[0.0, 0.0, 7.0, -8.0]])",
    "state of the last question": "if not hasattr(type(self), 'n'):\n    type(self).n = 0\ntype(self).n += 1\n"
                                  "return grad * (self.input_cache > 0) if type(self).n == 1 else grad",
    "plants files": "import os\nfor folder in ('/tmp', '/var/tmp', '/dev/shm', os.getcwd(), os.path.expanduser('~')):\n"
                    "    for name in ('conftest.py', 'planted.py', 'sitecustomize.py', 'x.pth', 'planted'):\n"
                    "        try:\n            open(os.path.join(folder, name), 'w').write('planted')\n"
                    "        except OSError:\n            pass\nreturn grad",
    "fills the disk": "import os\nfor i in range(1000):\n    with open('/tmp/planted%d' % i, 'wb') as f:\n"
                      "        f.write(b'x' * (1 << 24))\nreturn grad",
    "a hundred thousand files": "for i in range(100000):\n    open('/tmp/planted%d' % i, 'w').close()\nreturn grad",
    "changes the library": "import lib.activations, lib.losses\nfor path in (lib.activations.__file__, "
                           "lib.losses.__file__):\n"
                           "    open(path, 'w').write('')\nreturn grad",
    "a new user namespace": "import subprocess\nsubprocess.run(['unshare', '-Ur', 'touch', '/tmp/planted'])\nreturn "
                            "grad",
    "becomes root again": "import os\nos.setuid(0)\nreturn grad",
}

TOP: Dict[str, str] = {  # at the top of lib/activations.py, whose gap returns what it was given
    "exit at import": "import os\nos._exit(0)",
    "sys.exit at import": "import sys\nsys.exit(0)",
    "endless import": "while True:\n    pass",
    "import hook": "import sys\nclass Hook:\n    def find_spec(self, name, path=None, target=None):\n"
                   "        raise ImportError('no')\nsys.meta_path.insert(0, Hook())",
    "planted modules": "import sys, types\nfor n in ('frames', 'lib.losses', 'lib.network_base'):\n"
                       "    sys.modules[n] = types.ModuleType(n)",
    "trace": "import sys\nsys.settrace(lambda *a: (_ for _ in ()).throw(SystemExit))",
    "replaces the class": "class ReLU:\n    pass",
    "raises at import": "raise RuntimeError('<b>nine points</b>')",
    "null bytes": "\x00",
    "an encoding that is not": "# -*- coding: nonsense -*-",
    "nested a thousand times": "x = " + "(" * 5000 + ")" * 5000,
    "a very long line": "x = [" + "1, " * 200000 + "]",
    "a deep expression": "x = " + "-" * 50000 + "1",
    "Python 2": "print 'hello'",
    "tabs and spaces": "if True:\n\tx = 1\n        y = 2",
    "patches the child": "import sys\nsys.modules['__main__'].Child.do_backward = lambda self, q, a: ({'inputs': "
                         "1}, a * 3)",
}
