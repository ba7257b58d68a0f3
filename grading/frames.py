"""Messages between parent and child: a header in JSON and raw float64 arrays. Nothing else crosses the pipe.

A frame is the length of the header (4 bytes), the length of the arrays (4 bytes), the header, the arrays one after the
other. The header's "arrays" lists what they are: {"shape": [...], "dtype": "float32"} (how precise the original was; it
travels as float64), {"none": true}, or {"other": "list"} for what isn't an array of real numbers. This file is copied
into the box, so it needs NumPy alone.
"""
import json
import struct

import numpy as np

MOST_HEADER = 1 << 16
MOST_BYTES = 1 << 24
PREFIX = struct.Struct("<II")


class FrameError(Exception):
    """What came isn't a frame, or is larger than any answer should be."""


class Other:
    """What the other side had in place of an array: a value of this type."""

    def __init__(self, kind):
        self.kind = str(kind)[:40]


def encode(header, arrays=()):
    """Return the bytes of a message; arrays may hold None."""
    described, parts = [], []
    for value in arrays:
        if value is None:
            described.append({"none": True})
            continue
        if not isinstance(value, (np.ndarray, np.generic, int, float)):
            described.append({"other": type(value).__name__[:40]})
            continue
        dtype = str(getattr(value, "dtype", type(value).__name__))
        if getattr(value, "dtype", np.dtype(float)).kind not in "fiub":
            described.append({"other": "array of " + dtype[:30]})
            continue
        array = np.array(value, dtype=np.float64, order="C", subok=False)
        described.append({"shape": list(array.shape), "dtype": dtype})
        parts.append(array.tobytes())
    text = json.dumps(dict(header, arrays=described)).encode("utf-8")
    body = b"".join(parts)
    return PREFIX.pack(len(text), len(body)) + text + body


def sizes(prefix):
    """Return (length of the header, length of the arrays) that a prefix announces."""
    header, body = PREFIX.unpack(prefix)
    if header > MOST_HEADER or body > MOST_BYTES:
        raise FrameError("the answer is too large")
    return header, body


def decode(text, body):
    """Return (header, arrays) of a message."""
    try:
        header = json.loads(text.decode("utf-8"))
        described = header.pop("arrays")
        arrays, start = [], 0
        for entry in described:
            if "shape" not in entry:
                arrays.append(None if entry.get("none") else Other(entry["other"]))
                continue
            shape = [int(length) for length in entry["shape"]]
            count = 1
            for length in shape:
                if not 0 <= length <= MOST_BYTES:
                    raise FrameError("an array of an impossible shape")
                count *= length
            if len(shape) > 8 or start + 8 * count > len(body):
                raise FrameError("an array that doesn't fit its bytes")
            array = np.frombuffer(body, dtype="<f8", count=count, offset=start).reshape(shape).copy()
            arrays.append(array.astype(np.float32) if entry.get("dtype") in ("float32", "float16") else array)
            start += 8 * count
        if start != len(body):
            raise FrameError("more bytes than arrays")
        return header, arrays
    except FrameError:
        raise
    except Exception as error:  # whatever a hostile header brings
        raise FrameError("not a message: " + type(error).__name__) from error
