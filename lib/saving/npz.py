"""Files of arrays that can be trusted: .npz without pickle, written atomically, checked before anything is read.

An .npz file is a zip archive with one array a member. Two rules make a hostile one harmless: no member may hold Python
objects, which would be unpickled, that is, run; and no member may be compressed, so that what is read can't be larger
than the file. The zip archive's own checksums find bits that were changed.
"""
from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

import numpy as np

from lib.saving.files import expanded_path, write_atomically

Header = Tuple[Tuple[int, ...], np.dtype]  # an array's shape and precision, known before its numbers are read


class FileContentError(ValueError):
    """A file can't be used: it is damaged, or of something else; the message says which, and what to do."""


def write_npz(path: Union[str, Path], arrays: Dict[str, np.ndarray]) -> Path:
    """Write named arrays so that the file is either the old one or the new one, never a part of it.

    Raises:
        FileContentError: an array holds Python objects.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise FileContentError(f"{name!r} can't be saved: it holds Python objects (dtype {array.dtype}), not "
                                   "numbers.")

    def write(file: Any) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)

    return write_atomically(path, write)


def read_headers(path: Union[str, Path]) -> Dict[str, Header]:
    """Return the shape and dtype of each array in a file that write_npz wrote, without reading the arrays.

    Raises:
        FileNotFoundError: there is no such file.
        FileContentError: it is truncated, changed, or not such a file.
    """
    return _read(path, _headers)


def read_npz(path: Union[str, Path], names: Optional[Iterable[str]] = None) -> Dict[str, np.ndarray]:
    """Return the named arrays of a file that write_npz wrote; all of them if no names are given. Raises likewise."""
    def read(archive: zipfile.ZipFile, file_size: int) -> Dict[str, np.ndarray]:
        headers = _headers(archive, file_size)
        return {name: _read_member(archive, name) for name in (headers if names is None else names)}

    return _read(path, read)


def _read(path: Union[str, Path], read: Callable[[zipfile.ZipFile, int], Dict[str, Any]]) -> Dict[str, Any]:
    """Return read(archive, file size), with a sentence for whatever goes wrong."""
    path = expanded_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}. Is the path right, seen from {os.getcwd()!r}?")
    try:
        with zipfile.ZipFile(str(path)) as archive:
            return read(archive, path.stat().st_size)
    except FileContentError as error:
        raise FileContentError(f"{str(path)!r} was not read. {error}") from None
    except Exception as error:  # a damaged archive raises whatever its bytes happen to lead to
        raise FileContentError(f"{str(path)!r} can't be read: it is damaged, or was not written by this library "
                               f"({type(error).__name__}: {error}). Use another copy of it.") from error


def _headers(archive: zipfile.ZipFile, file_size: int) -> Dict[str, Header]:
    """Return the shape and dtype of each member, after checking that it is a plain array that fits into the file."""
    headers: Dict[str, Header] = {}
    for member in archive.infolist():
        name = member.filename[:-len(".npy")]
        if not member.filename.endswith(".npy") or name in headers:
            raise FileContentError(f"The file holds {member.filename!r}, which is not one array of its own: it was not "
                                   "written by this library.")
        if member.compress_type != zipfile.ZIP_STORED:
            raise FileContentError(f"The file's member {name!r} is compressed, as this library never writes it: a "
                                   "small compressed file can fill the whole memory.")
        with archive.open(member) as stream:
            if np.lib.format.read_magic(stream) != (1, 0):
                raise FileContentError(f"The file's member {name!r} has another format than this library writes.")
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            if dtype.hasobject:
                raise FileContentError(f"The file's member {name!r} holds pickled Python objects, which could run "
                                       "code.")
            size = dtype.itemsize
            for length in shape:
                size *= length
            if min(shape, default=0) < 0 or stream.tell() + size != member.file_size:
                raise FileContentError(f"The file's member {name!r} says that it has shape {shape}, but holds another "
                                       "number of bytes.")
        headers[name] = (shape, dtype)
    if sum(member.file_size for member in archive.infolist()) > file_size:
        raise FileContentError("The file's members overlap: it was not written by this library.")
    return headers


def _read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return one array, in this machine's byte order."""
    with archive.open(name + ".npy") as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
        if stream.read(1):
            raise FileContentError(f"The file's member {name!r} holds more than its array.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


# -------------------------------------------------------------------- nested values, and text


def text_to_array(text: str) -> np.ndarray:
    """Return a text as the bytes of its UTF-8 form."""
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def array_to_text(array: np.ndarray) -> str:
    """Return the text that text_to_array made into an array."""
    return np.asarray(array, dtype=np.uint8).tobytes().decode("utf-8")


def flatten_tree(tree: Any, name: str) -> Dict[str, np.ndarray]:
    """Return nested dicts, lists and tuples of numbers, texts and arrays as named arrays, for write_npz.

    The arrays among them keep all bits; the structure around them becomes JSON, in which {"array": 2} stands for the
    third array.
    """
    arrays: List[np.ndarray] = []

    def encode(value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic):
            return value
        if isinstance(value, list):
            return [encode(item) for item in value]
        if isinstance(value, tuple):
            return {"tuple": [encode(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
        if isinstance(value, (np.ndarray, np.generic)):
            arrays.append(np.array(value))
            return {"array" if isinstance(value, np.ndarray) else "scalar": len(arrays) - 1}
        raise FileContentError(f"{name} holds a {type(value).__name__}, which can't be saved: only numbers, texts, "
                               "arrays, and lists, tuples and dicts of these can.")

    text = json.dumps(encode(tree))
    named = {f"{name}/{i}": array for i, array in enumerate(arrays)}
    return {name: text_to_array(text), **named}


def restore_tree(arrays: Dict[str, np.ndarray], name: str) -> Any:
    """Return what flatten_tree was given under this name."""
    def decode(value: Any) -> Any:
        if isinstance(value, list):
            return [decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        (kind, content), = value.items()
        if kind == "tuple":
            return tuple(decode(item) for item in content)
        if kind == "dict":
            return {decode(key): decode(item) for key, item in content}
        array = arrays[f"{name}/{content}"]
        return array if kind == "array" else array[()]

    return decode(json.loads(array_to_text(arrays[name])))
