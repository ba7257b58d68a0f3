"""The work as a whole: all of a student's files together, trained for a few steps beside the reference."""
from __future__ import annotations

from typing import Any, Dict, Optional

import numpy as np

from grading.box import BoxError
from grading.box_folder import box_folder
from grading.judge import ERROR, RIGHT, WRONG, Setting, open_box
from grading.layout import lay_out_whole, write
from grading.oracle import Oracle, draw, generator, set_parameters

TOLERANCE = 1e-4


def run_whole(setting: Setting) -> Optional[Dict[str, str]]:
    """Return {"status", "feedback"} of training with all of the student's files; None if the sheet describes none."""
    plan = setting.sheet.get("whole")
    if plan is None:
        return None
    missing = [path for path in setting.sheet.gap_files if path not in setting.submission.files]
    if missing:
        return {"status": ERROR, "feedback": f"The files don't run together: {', '.join(missing)} is missing."}
    layout = lay_out_whole(setting.sheet, setting.submission)
    with box_folder() as folder:
        write(layout, folder)
        with open_box(setting, folder, layout.student_files) as box:
            try:
                return _train(setting, box, plan)
            except BoxError as error:
                return {"status": error.status, "feedback": f"The files don't train together: {error.words}"}


def _train(setting: Setting, box: Any, plan: Dict[str, Any]) -> Dict[str, str]:
    oracle = Oracle(setting.sheet, setting.sheet.code_tasks[-1])
    rng = generator(setting.key, setting.submission.digest(), "whole")
    model, loss = oracle.build(plan["make"]), oracle.build(plan["loss"])
    values = [rng.standard_normal(param.data.shape) for param in model.parameters()]
    inputs = [draw(spec, rng) for spec in plan["inputs"]]
    for name in dict.fromkeys(task.gap.module for task in setting.sheet.code_tasks if task.gap):
        box.ask({"op": "import", "module": name, "overrides": []})
    handles = [box.ask({"op": "make", "tree": tree, "places": oracle.places(tree)})[0]["handle"]
               for tree in (plan["make"], plan["loss"])]
    box.ask({"op": "set", "handle": handles[0]}, [array for value in values for array in (value, np.zeros_like(value))])
    set_parameters(model, values)
    losses = []
    for _ in range(plan["steps"]):
        box.ask({"op": "call", "module": "lib.gradient_utilities", "name": "zero_grad",
                 "arguments": [{"handle": handles[0], "as": "parameters"}]})
        preds = box.ask({"op": "forward", "handle": handles[0]}, inputs[:1])[1][0]
        losses.append(box.ask({"op": "forward", "handle": handles[1]}, [preds] + inputs[1:])[1][0])
        box.ask({"op": "call", "module": "lib.experiments", "name": "backward_pass",
                 "arguments": [{"handle": handles[0]}, {"handle": handles[1]}, {"value": plan["lr"]}]})
        loss(model(inputs[0]), *inputs[1:])
        model.backward(loss.backward())
        for param in model.parameters():
            param.data = param.data - plan["lr"] * param.grad
            param.grad = np.zeros_like(param.data)
    got = box.ask({"op": "read", "handle": handles[0]})[1][::2]
    same = all(isinstance(value, np.ndarray) and value.shape == param.data.shape
               and np.allclose(value, param.data, rtol=TOLERANCE, atol=TOLERANCE)
               for value, param in zip(got, model.parameters()))
    if same:
        return {"status": RIGHT, "feedback": "All files together train the network as they should."}
    first, last = losses[0], losses[-1]
    falls = isinstance(first, np.ndarray) and isinstance(last, np.ndarray) and last.shape == () and last < first
    return {"status": WRONG, "feedback": "All files together train the network, but not by the right steps; the loss "
            + ("falls all the same." if falls else "doesn't fall.")}
