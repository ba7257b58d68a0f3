"""The state of an optimiser or a schedule, whoever wrote it: all of its attributes that are made of numbers.

A student's optimiser may keep its moments in its parameters' `state_dict`, or in lists of its own, and count its steps
under any name. So nothing is asked of it but what Python knows: its attributes. Objects among these that have a `step`
themselves, such as the schedule that follows a warm-up, are part of it; parameters, models and functions are not.
"""
from __future__ import annotations

from typing import Any, Dict, Iterator, List

import numpy as np

from lib.network_base import Module, Parameter
from lib.validation import InputError, name_of

State = List[Dict[str, Any]]
NUMBERS = (bool, int, float, complex, np.generic)


def get_state(*objects: Any) -> State:
    """Return copies of the numbers and arrays of these objects, and of what they hold, ready to be saved."""
    return [{name: _copy(value) for name, value in _attributes(part).items()} for part in parts_of(objects)]


def set_state(saved: State, *objects: Any) -> None:
    """Put back what get_state returned for such objects: all of it or, if it doesn't fit, nothing.

    Raises:
        InputError: it was saved of other objects.
    """
    parts = list(parts_of(objects))
    if not isinstance(saved, list) or len(saved) != len(parts):
        raise InputError(f"expected the state of {len(parts)} objects ({', '.join(map(name_of, parts))}), but got "
                         f"{len(saved) if isinstance(saved, list) else 'something else'}.")
    for part, values in zip(parts, saved):
        _require_fitting(part, values)
    for part, values in zip(parts, saved):
        own = _attributes(part)
        for name, value in values.items():
            if name == "state_dicts":
                for param, entry in zip(part._params, value):
                    _put(param.state_dict, entry)
            elif isinstance(value, dict) and value != _keyed_by_parameters(value, part):
                vars(part)[name].clear()  # it stays the dict that it is, such as a defaultdict
                vars(part)[name].update(_keyed_by_parameters(_copy(value), part))
            elif not _put(own[name], value):
                setattr(part, name, _copy(value))


# -------------------------------------------------------------------- what belongs to the state


def parts_of(objects: Any) -> Iterator[Any]:
    """Yield the objects, and those with a step of their own that their attributes hold, each once."""
    seen = set()
    waiting = [each for each in objects if each is not None]
    while waiting:
        part = waiting.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        for value in getattr(part, "__dict__", {}).values():
            held = list(value) if isinstance(value, (list, tuple)) else [value]
            waiting += [each for each in held if callable(getattr(each, "step", None))
                        and not isinstance(each, (type, Module))]


def _attributes(part: Any) -> Dict[str, Any]:
    """Return the attributes that are made of numbers; of an optimiser also its parameters' state_dicts."""
    found = {name: _keyed_by_numbers(value, part) for name, value in getattr(part, "__dict__", {}).items()}
    found = {name: value for name, value in found.items() if _is_plain(value)}
    params = getattr(part, "_params", None)
    if params is not None and "_states" not in found:  # those of ours hold the same dicts
        found["state_dicts"] = [param.state_dict for param in params]
    return found


def _parameters_of(part: Any) -> List[Any]:
    """Return the parameters that an object holds in its lists, each once."""
    lists = [value for value in getattr(part, "__dict__", {}).values() if isinstance(value, (list, tuple))]
    return list({id(param): param for held in lists for param in held if isinstance(param, Parameter)}.values())


def _keyed_by_numbers(value: Any, part: Any) -> Any:
    """Return a dict whose keys are parameters, or their ids, with their places as keys: ids are a process's own."""
    if not isinstance(value, dict) or all(isinstance(key, str) for key in value):
        return value
    params = _parameters_of(part)
    names = {**{id(param): f"id of parameter {i}" for i, param in enumerate(params)},
             **{param: f"parameter {i}" for i, param in enumerate(params)}}
    return {names.get(key, key): item for key, item in value.items()} if names.keys() & value.keys() else value


def _keyed_by_parameters(value: Dict[Any, Any], part: Any) -> Dict[Any, Any]:
    """Return a dict with the keys that it had before _keyed_by_numbers."""
    params = _parameters_of(part)
    keys = {**{f"id of parameter {i}": id(param) for i, param in enumerate(params)},
            **{f"parameter {i}": param for i, param in enumerate(params)}}
    return {keys.get(key, key): item for key, item in value.items()}


def _is_plain(value: Any) -> bool:
    """Return whether a value is a number, text, array or None, or made of lists, tuples and dicts of these."""
    if value is None or isinstance(value, NUMBERS + (str,)):
        return True
    if isinstance(value, np.ndarray):
        return not value.dtype.hasobject
    if isinstance(value, dict):
        return all(isinstance(key, (str, int)) for key in value) and all(map(_is_plain, value.values()))
    return type(value) in (list, tuple) and all(map(_is_plain, value))


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_copy, value))
    return np.array(value) if isinstance(value, np.ndarray) else value


# -------------------------------------------------------------------- putting it back


def _require_fitting(part: Any, saved: Any) -> None:
    """Raise InputError unless the saved values have the names and kinds of the object's own."""
    own = _attributes(part)
    if not isinstance(saved, dict) or set(saved) != set(own):
        different = sorted(set(saved) ^ set(own)) if isinstance(saved, dict) else [type(saved).__name__]
        raise InputError(f"{name_of(part)} can't load this state: {', '.join(map(str, different[:5]))} "
                         f"{'is' if len(different) == 1 else 'are'} on one side only. Was it saved of another kind of "
                         "object, or for another model?")
    for name, value in saved.items():
        if name == "state_dicts":
            fits = isinstance(value, list) and len(value) == len(own[name]) and all(
                isinstance(entry, dict) and _is_plain(entry) for entry in value)
        else:
            shapes = {param.data.shape for param in _parameters_of(part)}
            fits = _is_like(own[name], value, shapes) and not (name == "lr" and np.any(np.less(value, 0)))
        if not fits:
            raise InputError(f"{name_of(part)} can't load this state: {name} is {_described(value)}, where it has "
                             f"{_described(own[name])}. Was it saved for another model, or is the file damaged?")


def _is_like(own: Any, saved: Any, shapes: Any, is_inside: bool = False) -> bool:
    """Return whether a saved value can take the place of an own one: numbers for numbers, arrays of the same shape.

    Inside of a list or dict, a 0 and an array of a parameter's shape are alike: [0, 0] is where moments may start.
    """
    for number, array in ((own, saved), (saved, own)):
        if is_inside and isinstance(number, NUMBERS) and number == 0 and isinstance(array, np.ndarray):
            return array.shape in shapes and array.dtype.kind == "f"
    if own is None or saved is None:
        return _is_plain(saved)
    if isinstance(own, np.ndarray) or isinstance(saved, np.ndarray):
        return isinstance(own, np.ndarray) and isinstance(saved, np.ndarray) and own.shape == saved.shape and \
            own.dtype == saved.dtype
    if isinstance(own, NUMBERS):
        return isinstance(saved, NUMBERS) and (bool(np.isfinite(saved)) or not np.isfinite(own))
    if isinstance(own, (dict, list)) and not own:  # it fills up as the run goes on
        return isinstance(own, type(saved)) and _is_plain(saved)  # a defaultdict comes back as a dict
    if isinstance(own, dict):
        return isinstance(saved, dict) and set(own) == set(saved) and all(
            _is_like(own[key], saved[key], shapes, True) for key in own)
    if isinstance(own, (list, tuple)):
        return type(own) is type(saved) and len(own) == len(saved) and all(
            _is_like(mine, other, shapes, True) for mine, other in zip(own, saved))
    return type(own) is type(saved)


def _put(own: Any, saved: Any) -> bool:
    """Copy a saved value into the arrays, lists and dicts that are there; False if there is nothing to copy into."""
    if isinstance(own, np.ndarray) and isinstance(saved, np.ndarray) and own.ndim and own.shape == saved.shape:
        own[...] = saved
    elif isinstance(own, dict) and isinstance(saved, dict):
        for key in list(own):
            if key not in saved:
                del own[key]
        for key, value in saved.items():
            if key not in own or not _put(own[key], value):
                own[key] = _copy(value)
    elif isinstance(own, list) and isinstance(saved, list) and len(own) == len(saved):
        for i, value in enumerate(saved):
            if not _put(own[i], value):
                own[i] = _copy(value)
    else:
        return False
    return True


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}" if isinstance(value, (list, tuple, dict)) else repr(value)
