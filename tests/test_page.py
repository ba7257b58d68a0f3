"""Interactive pages without a browser: what they hold, what they refuse, and that names stay texts."""
from __future__ import annotations

import json
import re

import numpy as np
import pytest

from lib import walkthrough
from lib.activations import ReLU, Sigmoid
from lib.graph import exp, log, sigmoid, variable
from lib.graph.page import page, write_page
from lib.layers import SelfAttention
from lib.layers.activations import Tanh
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential

HOSTILE = '</script><img src=x onerror="document.title=1">'


def small_model(seed=0):
    """Return a network with weights of ordinary size, four examples and their labels."""
    rng = np.random.default_rng(seed)
    model = Sequential(Linear(3, 4), Sigmoid(), Linear(4, 2))
    for parameter in model.parameters():
        parameter.data = rng.uniform(-1, 1, parameter.data.shape)
    return model, rng.uniform(-1, 1, (4, 3)), np.eye(2)[rng.integers(0, 2, 4)]


def products_of(data, k, flat):
    """Return the sum of the products that an entry of a gradient is made of, as the page's script computes it."""
    total = 0.0
    for edge in data["edges"]:
        if edge["parent"] != k:
            continue
        child, grad = data["nodes"][edge["child"]], data["nodes"][edge["child"]]["grad"]
        if edge["kind"] == "listed":
            total += sum(factor * grad[j] for j, factor in edge["products"][flat])
        elif edge["kind"] == "matmul":
            other = np.array(data["nodes"][edge["other"]]["value"])
            rows, inner, columns = child["product"]
            G = np.array(grad).reshape(rows, columns)
            whole = G @ other.reshape(inner, columns).T if edge["side"] == 0 else other.reshape(rows, inner).T @ G
            total += whole.ravel()[flat]
        else:
            shape = data["nodes"][k]["shape"]
            flow = (np.array(edge["local"]) * grad).reshape(child["shape"])
            while flow.ndim > len(shape):
                flow = flow.sum(axis=0)
            axes = tuple(i for i, size in enumerate(shape) if size == 1)
            total += flow.sum(axis=axes, keepdims=True).ravel()[flat]
    return total


@pytest.mark.parametrize("name", list(walkthrough.EXAMPLES))
def test_the_numbers_are_the_librarys_and_every_gradient_is_the_sum_of_its_products(name):
    model, x, y, loss_fn, rate = walkthrough.EXAMPLES[name](np.random.default_rng(3))
    data = page(model, x, y, loss_fn=loss_fn, learning_rate=rate).data
    loss_fn(model(x), y)
    model._zero_grad()
    model.backward(loss_fn.backward())
    named = {node["name"]: node for node in data["nodes"]}
    found = [node for node in data["nodes"] if "new" in node]
    assert len(found) == len(model.parameters())
    for parameter in model.parameters():
        node = next(node for node in found if np.allclose(node["value"], parameter.data.ravel())
                    and np.allclose(node["grad"], parameter.grad.ravel(), rtol=1e-10, atol=1e-14))
        np.testing.assert_allclose(node["new"], (parameter.data - rate * parameter.grad).ravel(), rtol=1e-12)
        found.remove(node)
    assert named["L"]["value"] == pytest.approx([loss_fn(model(x), y)])
    for k, node in enumerate(data["nodes"]):
        if node["grad"] is not None and k != data["output"]:
            sums = [products_of(data, k, flat) for flat in range(len(node["grad"]))]
            np.testing.assert_allclose(sums, node["grad"], rtol=1e-10, atol=1e-14)


def test_the_steps_go_forward_node_by_node_backward_edge_by_edge_then_update():
    model, x, y = small_model()
    data = page(model, x, y).data
    phases = [step["phase"] for step in data["steps"]]
    computed = sum("parents" in node for node in data["nodes"])
    assert phases == ["forward"] * computed + ["seed"] + ["backward"] * len(data["edges"]) + ["update"] * 4
    assert data["scheme"]["columns"] and [column["units"] for column in data["scheme"]["columns"]] == [3, 4, 2]


def test_making_a_page_changes_nothing():
    model, x, y = small_model()
    before = [(p.data.copy(), p.grad.copy()) for p in model.parameters()]
    state = np.random.get_state()[1].copy()
    page(model, x, y).html()
    assert np.array_equal(np.random.get_state()[1], state)
    for parameter, (value, grad) in zip(model.parameters(), before):
        assert np.array_equal(parameter.data, value) and np.array_equal(parameter.grad, grad)


def test_a_graph_of_single_numbers_has_a_page():
    a, b = variable(1.5, name="a"), variable(2.0, name="b")
    data = page((exp(a) * log(a + b)).named("A")).data
    assert data["scheme"] is None and {node["name"] for node in data["nodes"]} >= {"a", "b", "A"}


def test_names_stay_texts_and_nothing_is_loaded():
    model, x, y = small_model()
    model.modules[0].W.name = HOSTILE
    text = page(model, x, y, title=HOSTILE).html()
    assert "<img" not in text and text.count("</script>") == 2
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text)
    stored = re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1)
    assert json.loads(stored)["title"] == HOSTILE


def test_what_cannot_be_shown_gets_a_sentence(tmp_path):
    model, x, y = small_model()
    with pytest.raises(ValueError, match="at most 20,000 numbers.*fewer examples"):
        page(Sequential(Linear(784, 128), ReLU(), Linear(128, 10)), np.zeros((4, 784)), np.eye(10)[:4])
    for arguments, sentence in (((model,), "needs numbers"), ((Sequential, x, y), "class Sequential"),
                                ((3.0,), "float"), ((variable(1.0), x, y), "holds its numbers already"),
                                ((variable(np.ones(2)) * 2,), r"write_page\(node.sum\(\)"),
                                ((Sequential(ReLU()), x, y), "has none. Put a layer"),
                                ((model, x, np.array([0, 1, 1, 0])), r"one-hot: np.eye\(2\)\[y\]"),
                                ((model, x + 1j, y), "complex"), ((model, [["a", "b"]], y), "array of numbers")):
        with pytest.raises(ValueError, match=sentence):
            page(*arguments)
    with pytest.raises(ValueError, match="needs a path"):
        write_page(model, x, y)
    with pytest.raises(ValueError, match="is a folder"):
        write_page(model, x, y, tmp_path)


def test_the_command_writes_lists_and_refuses(tmp_path, capsys):
    assert walkthrough.main(["--list"]) == 0 and "skip connection" in capsys.readouterr().out
    assert walkthrough.main(["skip", "--output", str(tmp_path / "a b.html")]) == 0
    assert (tmp_path / "a b.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    for wrong in (["nothing"], ["--seed", "-1"], ["--output", str(tmp_path)]):
        with pytest.raises(SystemExit) as stopped:
            walkthrough.main(wrong)
        assert stopped.value.code == 2 and len(capsys.readouterr().err.splitlines()) == 1


def test_a_page_of_sixty_nodes_is_small():
    rng = np.random.default_rng(0)
    layers = [module for _ in range(10) for module in (Linear(3, 3), Tanh())]
    model = Sequential(*layers, Linear(3, 3))
    for parameter in model.parameters():
        parameter.data = rng.uniform(-1, 1, parameter.data.shape)
    made = page(model, rng.uniform(-1, 1, (2, 3)), np.eye(3)[:2], loss_fn=CrossEntropyLoss())
    assert len(made.data["nodes"]) >= 60 and len(made.html().encode()) < 300_000
    a, x = variable(2.0, name="a"), variable(0.5, name="x")
    skips = chain = a
    for _ in range(29):  # each from the one before and from a: long links side by side
        skips, chain = skips * 1.01 + a, sigmoid(chain) * x
    assert len(page(skips).html().encode()) < 300_000 and len(page(chain).html().encode()) < 300_000


def test_parameters_of_one_name_are_told_apart_and_a_shared_one_is_one():
    rng = np.random.default_rng(0)
    shared = Linear(3, 3)
    for model, shape, expected in (
            (Sequential(SelfAttention(3)), (1, 4, 3), {"W_Q", "W_K", "W_V"}),
            (Sequential(shared, ReLU(), shared), (2, 3), {"W", "b"}),
            (Sequential(Linear(3, 3), ReLU(), Linear(3, 3)), (2, 3), {"W1", "b1", "W2", "b2"})):
        nodes = page(model, rng.normal(size=shape), rng.normal(size=shape)).data["nodes"]
        assert expected <= {node["name"] for node in nodes} and not any("_2" in node["name"] for node in nodes)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_shown_by_its_name(bad, tmp_path):
    model = Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
    model.modules[0].W.data[0, 0] = bad
    with np.errstate(all="ignore"):
        made = page(model, np.ones((2, 2)), np.eye(2))
    assert str(bad) in made.data["nodes"][1]["value"] + made.data["nodes"][2]["value"]
    assert made.save(tmp_path / "page.html").is_file()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
