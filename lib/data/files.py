"""Reading data files of one's own: what isn't the file that was meant gets a sentence."""
from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import Any, Union

import numpy as np

from lib.validation import InputError

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def existing_path(path: Union[str, Path], who: str) -> Path:
    """Return the path of a file or folder that is there, with `~` as the home folder.

    Raises:
        FileNotFoundError: it isn't there.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"{who} expects path to be a text or a pathlib.Path, but got {path!r}.")
    found = Path(path).expanduser()
    if not found.exists():
        raise FileNotFoundError(f"{who}: there is no {str(found)!r}. Is the path right, seen from {os.getcwd()!r}?")
    return found


def read_bytes(path: Path, who: str) -> bytes:
    """Return a file's content, decompressed if it is gzip's.

    Raises:
        InputError: it is empty, a web page, cut off, or the pointer that Git LFS leaves in place of a file.
    """
    if path.is_dir():
        raise InputError(f"{who}: {str(path)!r} is a folder; name a file in it.")
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{who}: {str(path)!r} is cut off or damaged ({error}). Download it again.") from None
    if not data:
        raise InputError(f"{who}: {str(path)!r} is empty. Download it again.")
    if data.startswith(b"version https://git-lfs"):
        raise InputError(f"{who}: {str(path)!r} isn't the data, but a pointer of Git LFS to them. Run `git lfs pull` "
                         "in that repository.")
    if data.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise InputError(f"{who}: {str(path)!r} is a web page, as where a download needs a login. Download the file "
                         "itself.")
    return data


def read_idx(path: Path, who: str) -> np.ndarray:
    """Return the array in an IDX file, MNIST's own format: 2 zero bytes, type, dimensions, sizes, then the numbers.

    Raises:
        InputError: it is no IDX file, or holds more or fewer numbers than it says.
    """
    data = read_bytes(path, who)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES or not 1 <= data[3] <= 4 or \
            len(data) < 4 + 4 * data[3]:
        raise InputError(f"{who}: {str(path)!r} isn't in the IDX format of MNIST's files.")
    shape = tuple(int(size) for size in np.frombuffer(data, dtype=">u4", count=data[3], offset=4))
    dtype = np.dtype(IDX_TYPES[data[2]])
    content = data[4 + 4 * data[3]:]
    expected = dtype.itemsize
    for size in shape:
        expected *= size
    if len(content) != expected:
        raise InputError(f"{who}: {str(path)!r} says that it holds numbers of shape {shape}, which take {expected} "
                         f"bytes, but has {len(content)}. Download it again.")
    return np.frombuffer(content, dtype=dtype).reshape(shape)


def read_npz_arrays(path: Path, who: str) -> Any:
    """Return the arrays of an .npz file, which may be compressed, by their names.

    Raises:
        InputError: it is no such file, or holds Python objects.
    """
    read_bytes(path, who)  # for its sentences
    try:
        with np.load(str(path), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # whatever the bytes of a file lead to
        raise InputError(f"{who}: {str(path)!r} can't be read as an .npz file of arrays: {error}") from None
