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
    "a time bomb": "type(self).n = getattr(type(self), 'n', 0) + 1\n"
                   "return grad * (self.input_cache > 0) if type(self).n < 8 else grad",
    "right by the clock": "import time\ntype(self).t = getattr(type(self), 't', time.monotonic())\n"
                          "return grad * (self.input_cache > 0) if time.monotonic() - type(self)."
                          "t < 0.002 else grad",
    "poisoned modules": "import sys\nfor name in list(sys.modules):\n"
                        "    if name.split('.')[0] in ('numpy', 'lib', 'json', 'os', 'struct'):\n"
                        "        sys.modules[name] = None\nreturn grad",
    "patched testing and pickle": "import json, pickle\n"
                                  "np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a"
                                  ", **k: None\npickle.loads = pickle.load = lambda *a, **k: grad\n"
                                  "json.dumps = lambda *a, **k: '{\"points\": NaN}'\nreturn grad",
    "NaN in the answer's header": "import json\nold = json.dumps\n"
                                  "json.dumps = lambda value, **k: old(dict(value, id=float('nan'), point"
                                  "s=float('inf')))\nreturn grad",
    "an alarm that goes on": "import signal\n"
                             "signal.signal(signal.SIGALRM, lambda *a: (_ for _ in ()).throw(SystemExit(0)))\n"
                             "signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\nreturn grad",
    "catches the limit's signal": "import signal\nsignal.signal(signal.SIGXCPU, lambda *a: None)\n"
                                  "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    pass",
    "a crash by ctypes": "import ctypes\nctypes.string_at(0)",
    "memory overwritten by ctypes": "import ctypes\nctypes.memset(id(grad), 0, 64)\nreturn grad",
    "traces its parent": "import ctypes, os\nctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)\nreturn grad",
    "reads all memory": "import glob\nfor path in glob.glob('/proc/[0-9]*/mem'):\n    try:\n"
                        "        open(path, 'rb').read(1 << 16)\n    except OSError:\n        pass\n"
                        "for path in glob.glob('/proc/[0-9]*/environ'):\n    try:\n"
                        "        if 'GRADING' in open(path).read():\n            raise ValueError('key')\n"
                        "    except OSError:\n        pass\nreturn grad",
    "becomes another program": "import os, sys\n"
                               "os.execve(sys.executable, [sys.executable, '-c', \"import os\\nfor fd in"
                               " range(3, 32):\\n    try:\\n        os.write(fd, b'right')\\n    except O"
                               "SError:\\n        pass\"], {})",
    "becomes a shell that loops": "import os\nos.execve('/bin/sh', ['sh', '-c', 'while :; do :; done'], {})",
    "half of an answer": "import os, struct, time\nfor fd in range(3, 64):\n    try:\n"
                         "        os.write(fd, struct.pack('<II', 100, 0) + b'{')\n    except OSError:\n"
                         "        pass\ntime.sleep(1000)",
    "answers ahead": "import sys\nf = sys._getframe()\nwhile f and 'question' not in f.f_locals:\n"
                     "    f = f.f_back\nchild = sys.modules['__main__']\nserve = f\n"
                     "while serve and 'self' not in serve.f_locals or not hasattr(serve.f_lo"
                     "cals['self'], 'send'):\n    serve = serve.f_back\nfor _ in range(5):\n"
                     "    serve.f_locals['self'].send({'id': f.f_locals['question']['id'], '"
                     "inputs': 1}, [grad, grad, self.input_cache])\nreturn grad",
    "a thread that answers, too": "import threading, os\ndef spam():\n    while True:\n"
                                  "        for fd in range(3, 16):\n            try:\n"
                                  "                os.write(fd, b'\\x00' * 8)\n            except OSError:\n"
                                  "                pass\nthreading.Thread(target=spam, daemon=True).start()\n"
                                  "return grad",
    "a huge map": "import mmap\nkept = [mmap.mmap(-1, 1 << 33) for _ in range(100)]\nreturn grad",
    "shared memory left behind": "from multiprocessing import shared_memory, resource_tracker\n"
                                 "block = shared_memory.SharedMemory('planted', create=True, size=1 << 20)\n"
                                 "block.buf[:4] = b'left'\nreturn grad",
    "a queue of the system left behind": "import ctypes\nlibc = ctypes.CDLL(None)\n"
                                         "libc.shmget(4242, 1 << 20, 0o1666)\nlibc.msgget(4242, 0o1666)\n"
                                         "return grad",
    "typed into the terminal": "import fcntl, termios, os\n"
                               "for path in ('/dev/tty', '/dev/stdin', '/proc/self/fd/0'):\n    try:\n"
                               "        fd = os.open(path, os.O_RDWR)\n"
                               "        for c in b'touch /tmp/planted\\n':\n"
                               "            fcntl.ioctl(fd, termios.TIOCSTI, bytes([c]))\n    except OSError:\n"
                               "        pass\nreturn grad",
    "removes all that it can": "import shutil\nshutil.rmtree('/', ignore_errors=True)\nreturn grad",
    "folders a thousand deep": "import os\nos.chdir('/tmp')\nfor _ in range(1500):\n    os.mkdir('planted')\n"
                               "    os.chdir('planted')\nreturn grad",
    "files that nobody may remove": "import os\nos.makedirs('/tmp/planted/a/b')\nos.chmod('/tmp/planted/a/b', 0)\n"
                                    "os.chmod('/tmp/planted/a', 0)\nos.chmod('/tmp/planted', 0)\nreturn grad",
    "links to everywhere": "import os\nfor i, path in enumerate(('/', '/etc/passwd', '/root', '/proc/1/root')):\n"
                           "    os.symlink(path, '/tmp/planted%d' % i)\nreturn grad",
    "a socket that listens": "import socket, os, time\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0planted')\n"
                             "s.listen()\nif os.fork() == 0:\n    time.sleep(1000)\nreturn grad",
    "formulas and markup in an error": "raise ValueError('=HYPERLINK(\"http://x\",\"points\") <svg onload=alert(1)"
                                       "> ]]> {{7*7}} ${7*7}')",
    "an error of right-to-left text": "raise type('\\u202epoints', (ValueError,), {})('\\u202e9 fo 9\\u2028\\u000"
                                      "0\\ud800')",
    "an error with a million causes": "e = ValueError('x')\nfor _ in range(100000):\n    n = ValueError('y')\n"
                                      "    n.__cause__ = e\n    e = n\nraise e",
    "an object that never dies": "class Undead:\n    def __del__(self):\n        while True:\n            pass\n"
                                 "Undead()\nreturn grad",
    "a lowered recursion limit": "import sys\nsys.setrecursionlimit(60)\nreturn self.backward(grad)",
    "an array over forbidden memory": "from numpy.lib.stride_tricks import as_strided\n"
                                      "return as_strided(grad, shape=(1 << 20, 1 << 10), strides=(1 << 30, 1 "
                                      "<< 20))",
    "an array of negative strides": "return np.broadcast_to(np.float64(0), (1 << 40, 1 << 10))",
    "an array that calls back": "class Array:\n    def __array__(self, *a, **k):\n        import os\n"
                                "        os._exit(0)\nreturn Array()",
    "an enormous shape": "return np.zeros((0, 1 << 62))",
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
    "a module that answers everything": "import sys\nclass Liar:\n    def __getattr__(self, name):\n"
                                        "        return lambda *a, **k: self\n    def __float__(self):\n"
                                        "        return 1.0\nsys.modules[__name__] = Liar()",
    "the import function replaced": "import builtins\nbuiltins.__import__ = lambda *a, **k: None",
    "builtins taken away": "import builtins\nfor name in list(vars(builtins)):\n    if name[0] != '_':\n"
                           "        delattr(builtins, name)",
    "a base class that lies": "from lib.network_base import Module\n"
                              "Module.__getattribute__ = lambda self, name: (lambda *a: 0)",
    "forks at import": "import os\nif os.fork():\n    os._exit(0)",
    "an exit handler that answers": "import atexit, os, sys\n"
                                    "atexit.register(lambda: [os.write(fd, b'right') for fd in range(3, 9)])\n"
                                    "sys.exit(0)",
    "a hook for exceptions": "import sys\nsys.excepthook = lambda *a: None\nraise BaseException",
    "a tracer of every line": "import sys, threading\ndef trace(frame, event, arg):\n"
                              "    if 'expected' in frame.f_locals:\n        frame.f_locals['expected'] = 0\n"
                              "    return trace\nsys.settrace(trace)\nthreading.settrace(trace)",
    "standard output closed": "import os, sys\nsys.stdout = sys.stderr = None\nos.closerange(0, 3)",
    "a thousand modules": "import sys, types\nfor i in range(100000):\n"
                          "    sys.modules['m%d' % i] = types.ModuleType('m')",
    "garbage that is never collected": "import gc\ngc.disable()\n"
                                       "gc.callbacks.append(lambda *a: (_ for _ in ()).throw(SystemExit))",
}
