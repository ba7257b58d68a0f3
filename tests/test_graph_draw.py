"""Drawings: nothing overlaps, everything is inside, every node, value and gradient is there, in each format."""
from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.activations import ReLU, Sigmoid
from lib.graph import constant, relu, sigmoid, variable
from lib.graph.draw import draw, draw_forward_and_backward
from lib.graph.draw.layout import LayoutEdge, layered
from lib.graph.draw.network import Column, Skip, draw_network, draw_units
from lib.graph.explain import explain
from exercises.pen_and_paper import expression_a, expression_b, expression_c, mlp_regression, skip_network
from lib.network import Linear, Sequential
from lib.regularizers import Dropout
from lib.validation import InputError


def overlaps(boxes):
    """Return the pairs of boxes (left, top, right, bottom) that overlap, by name."""
    names = list(boxes)
    return [(a, b) for k, a in enumerate(names) for b in names[k + 1:]
            if boxes[a][0] < boxes[b][2] and boxes[b][0] < boxes[a][2]
            and boxes[a][1] < boxes[b][3] and boxes[b][1] < boxes[a][3]]


def random_graph(seed, size):
    """Return a scalar graph of about this many nodes, in which nodes far apart are connected, too."""
    rng = np.random.default_rng(seed)
    nodes = [variable(rng.uniform(0.5, 1.5), name=f"a{k}") for k in range(max(2, size // 6))]
    used = set()
    while len(nodes) < size:
        i, j = rng.integers(max(0, len(nodes) - 12), len(nodes), 2)
        one, other = nodes[i], nodes[j]
        used.update((int(i), int(j)))
        nodes.append([one * other, one + other, sigmoid(one), one - other][rng.integers(4)])
    total = nodes[-1]
    for k, node in enumerate(nodes[:-1]):
        if k not in used:
            total = total + node
    return total.named("L")


def mlp():
    rng = np.random.default_rng(0)
    return mlp_regression([2.0], [0.9], rng.normal(size=(1, 50)), rng.normal(size=50), rng.normal(size=(50, 1)), [0.1])


def shapes_of(scene):
    """Return every box and text of a scene by name, as (left, top, right, bottom)."""
    found = {f"box {k}: {box.name}": box.bounds() for k, box in enumerate(scene.boxes)}
    found.update({f"text {k}: {text.text}": text.bounds() for k, text in enumerate(scene.texts)})
    return found


def assert_well_laid_out(scene):
    found = shapes_of(scene)
    assert overlaps(found) == []
    for name, (left, top, right, bottom) in found.items():
        assert left >= 0 and top >= 0 and right <= scene.width and bottom <= scene.height, f"{name} leaves the sheet"
    x, y = points_on(scene)
    for name, (left, top, right, bottom) in found.items():
        inside = (left + 1 < x) & (x < right - 1) & (top + 1 < y) & (y < bottom - 1)
        assert not inside.any(), f"an edge crosses {name}"


def points_on(scene):
    """Return points along all curves, cubic Bezier curves: their x and their y."""
    pieces = np.array([curve.points[k:k + 4] for curve in scene.curves for k in range(0, len(curve.points) - 1, 3)])
    t = np.linspace(0, 1, 6)[:, None, None]
    p0, p1, p2, p3 = (pieces[:, k] for k in range(4))
    points = (1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t ** 2 * (1 - t) * p2 + t ** 3 * p3
    return points[..., 0].ravel(), points[..., 1].ravel()


# ---------------------------------------------------------------------- the layout

@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10 ** 6), st.integers(3, 60), st.sampled_from(["right", "down"]))
def test_nothing_overlaps_in_random_graphs(seed, size, direction):
    assert_well_laid_out(draw(random_graph(seed, size), direction).scene)


@pytest.mark.parametrize("loss", [skip_network(), expression_a(), expression_b(), expression_c(), mlp()],
                         ids=["skip", "A", "B", "C", "mlp"])
def test_the_sheets_graphs_are_well_laid_out(loss):
    for direction in (None, "right", "down"):
        assert_well_laid_out(draw(loss, direction).scene)
    assert_well_laid_out(draw_forward_and_backward(loss).scene)


def test_crossings_are_removed():
    """Two chains given in the wrong order side by side: an order without crossings exists and is found."""
    edges = [LayoutEdge(0, 3, (1, 1)), LayoutEdge(1, 2, (1, 1)), LayoutEdge(2, 5, (1, 1)), LayoutEdge(3, 4, (1, 1))]
    layout = layered([(10.0, 10.0)] * 6, edges)
    side = [across for _, across in layout.centres]
    assert (side[0] < side[1]) == (side[3] < side[2]) == (side[4] < side[5])


def test_a_chain_is_a_straight_line():
    layout = layered([(30.0, 10.0)] * 4, [LayoutEdge(k, k + 1, (5.0, 5.0)) for k in range(3)])
    assert np.ptp([across for _, across in layout.centres]) < 0.5
    along = [along for along, _ in layout.centres]
    assert along == sorted(along)


def test_a_wide_graph_is_drawn_downwards():
    y = variable(1.0, name="x")
    for _ in range(12):
        y = sigmoid(y)
    scene = draw(y).scene
    assert scene.height > scene.width
    assert draw(y, "right").scene.width > scene.width


# ---------------------------------------------------------------------- what is drawn

def test_values_and_gradients_are_on_the_edges():
    scene = draw(skip_network()).scene
    labels = [(text.text, text.style) for text in scene.texts]
    for label in (("0.75", "gradient"), ("0.25", "gradient"), ("-3.375", "value"), ("-1", "gradient")):
        assert label in labels
    assert {box.name for box in scene.boxes} == {"x", "y", "w0", "w1", "w2", "ws", "z0", "h0", "z1", "h1", "t1", "t2",
                                                 "y_hat", "t3", "L"}
    assert len(scene.curves) == 15
    bare = draw(skip_network(), values=False, gradients=False).scene
    assert bare.texts == []


def test_shapes_are_on_the_nodes():
    lines = {box.name: [text for text, _ in box.lines] for box in draw(mlp()).scene.boxes}
    assert lines["W1"] == ["W1", "(1, 50)", "dl/dW1 (1, 50)"]
    assert lines["z3"] == ["z3 = sigmoid(z2)", "(50,)", "dl/dz3 (50,)"]


def test_the_names_are_those_of_the_explanation():
    by_hand = explain(expression_b())
    assert {box.name for box in draw(by_hand).scene.boxes} == set(by_hand.derivation.names.known())


def test_the_backward_graph_stands_beside_the_forward_graph():
    scene = draw_forward_and_backward(mlp()).scene
    texts = [box.lines[0][0] for box in scene.boxes]
    for name in ("z1", "z2", "z3", "z4", "y_hat", "W1", "b1", "W2", "b2", "x", "y"):
        assert f"dl/d{name}" in texts
    place = {box.lines[0][0].split(" = ")[0]: box for box in scene.boxes}
    offset = place["dl/dz1"].x - place["z1"].x
    assert place["dl/dz3"].x - place["z3"].x == pytest.approx(offset)
    assert place["dl/dz3"].y == pytest.approx(place["z3"].y)
    rules = [text.text for text in scene.texts]
    assert "g * z3 * (1 - z3)" in rules and "outer(x, g)" in rules and "W2 @ g" in rules
    backward = [curve for curve in scene.curves if curve.kind == "backward"]
    assert all(curve.points[0][1] > curve.points[-1][1] for curve in backward)  # upwards


def test_constants_have_no_gradient():
    scene = draw_forward_and_backward(skip_network()).scene
    texts = [box.lines[0][0] for box in scene.boxes]
    assert "x" in texts and "dL/dx" not in texts and "dL/dw0" in texts


def test_a_vector_output_is_drawn_without_gradients():
    scene = draw(relu(variable([1.0, -2.0], name="x"))).scene
    assert [text.style for text in scene.texts] == ["value", "value"]


def test_module_nodes_are_drawn():
    np.random.seed(0)
    model = Sequential(Linear(3, 2), ReLU())
    scene = draw(model(constant(np.ones((4, 3)), name="x")).sum().named("L")).scene
    assert "t1 = Linear(x)" in [box.lines[0][0] for box in scene.boxes]


# ---------------------------------------------------------------------- formats

def test_svg_is_valid_and_complete():
    drawing = draw(expression_b())
    root = ElementTree.fromstring(drawing.svg())
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert "t3 = t1 + t2" in texts and "0.3403" in texts
    assert float(root.get("width")) == pytest.approx(drawing.scene.width, abs=1)
    assert drawing._repr_svg_() == drawing.svg()


def test_signs_that_mean_something_in_svg_and_dot_are_escaped():
    drawing = draw((variable(1.0, name='a<"b"&') * 2).named("y\\"))
    assert 'a<"b"&' in {element.text for element in ElementTree.fromstring(drawing.svg()).iter()}
    assert '\\"b\\"' in drawing.dot() and "\\\\" in drawing.dot()


def test_dot_text_names_every_node_and_edge():
    text = draw(skip_network()).dot()
    assert text.startswith('digraph "L" {') and text.rstrip().endswith("}")
    assert len(re.findall(r"n\d+ -> n\d+ ", text)) == 15 and 'label="h0 = relu(z0)\\n0.5\\ndL/dh0 = 0.75"' in text


def test_matplotlib_draws_the_same():
    pytest.importorskip("matplotlib", reason="the figure is made by Matplotlib")
    drawing = draw(skip_network())
    figure = drawing.figure()
    assert figure.get_size_inches() * 72 == pytest.approx([drawing.scene.width, drawing.scene.height])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "h0 = relu(z0)" in texts and "0.75" in texts


def test_matplotlib_texts_stay_in_their_boxes():
    """The widths that the layout counts with are not smaller than those that are drawn."""
    pytest.importorskip("matplotlib", reason="its fonts are measured")
    from lib.graph.draw.scene import text_width
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    for text in ("t12 = w1 * x3", "z3 = sigmoid(z2)", "-0.03516", "(64, 128)", "y_hat = z4 + b2", "dL/dWW", "MMmm"):
        drawn = TextPath((0, 0), text, size=13, prop=FontProperties(family="DejaVu Sans")).get_extents().width
        assert drawn <= text_width(text, 13)


def test_files_are_written_by_their_ending(tmp_path):
    drawing = draw(expression_a())
    drawing.save(tmp_path / "a.svg")
    drawing.save(str(tmp_path / "a.dot"))
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == drawing.svg()
    assert (tmp_path / "a.dot").read_text(encoding="utf-8") == drawing.dot()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dot", "a.svg"]
    with pytest.raises(InputError, match="ending of the file's name"):
        drawing.save(str(tmp_path / "a"))


# ---------------------------------------------------------------------- the network scheme

def ticket_network():
    np.random.seed(0)
    return Sequential(Linear(3, 4), ReLU(), Linear(4, 1))


def test_the_scheme_has_units_weights_biases_and_dimensions():
    scene = draw_network(ticket_network(), inputs=["class", "age", "survived"], outputs=["price"]).scene
    names = [box.name for box in scene.boxes]
    assert names.count("bias b1") == names.count("bias b2") == 1
    assert {"class", "age", "survived", "h1", "h2", "h3", "h4", "price"} <= set(names)
    assert len([curve for curve in scene.curves if curve.kind == "forward"]) == 3 * 4 + 4
    assert len([curve for curve in scene.curves if curve.kind == "bias"]) == 4 + 1
    texts = [text.text for text in scene.texts]
    for text in ("x: (N, 3)", "W1: (3, 4), b1: (4,)", "z1 = x W1 + b1", "h = ReLU(z1), entry by entry: (N, 4)",
                 "W2: (4, 1), b2: (1,)", "y_hat = h W2 + b2", "y_hat: (N, 1)"):
        assert text in texts


@pytest.mark.parametrize("sizes", [(2, 1), (3, 4, 1), (1, 50, 1), (4, 6, 6, 6, 1), (20, 9, 3)])
def test_schemes_of_all_sizes_are_well_laid_out(sizes):
    np.random.seed(0)
    layers = []
    for one, other in zip(sizes, sizes[1:]):
        layers += [Linear(one, other), Sigmoid()]
    scene = draw_network(Sequential(*layers)).scene
    boxes = {name: bounds for name, bounds in shapes_of(scene).items()}
    assert overlaps(boxes) == []
    for left, top, right, bottom in boxes.values():
        assert left >= 0 and top >= 0 and right <= scene.width and bottom <= scene.height


def test_a_skip_connection_is_an_arch_over_the_units():
    columns = [Column(["x"]), Column(["0"]), Column(["1"], weights=[["w1"]]), Column(["2"], weights=[["w2"]])]
    scene = draw_units(columns, [Skip(1, 3, "ws")]).scene
    assert [curve.kind for curve in scene.curves].count("skip") == 1
    assert {"w1", "w2", "ws"} <= {text.text for text in scene.texts}
    assert overlaps(shapes_of(scene)) == []
    assert "u1_0 -> u3_0" in draw_units(columns, [Skip(1, 3, "ws")]).dot()


# ---------------------------------------------------------------------- mistakes

def test_mistakes_are_answered_with_sentences():
    y = variable(1.0, name="x")
    for _ in range(200):
        y = y * 0.9
    with pytest.raises(InputError, match="too large to draw"):
        draw(y)
    with pytest.raises(InputError, match="A node of a computational graph"):
        draw(np.ones(3))
    with pytest.raises(InputError, match="direction"):
        draw(skip_network(), direction="up")
    with pytest.raises(InputError, match="single number"):
        draw_forward_and_backward(relu(variable([1.0, 2.0])))
    with pytest.raises(InputError, match="3 inputs, but got 2 names"):
        draw_network(ticket_network(), inputs=["a", "b"])
    with pytest.raises(InputError, match="starts with a Linear layer"):
        draw_network(Sequential(ReLU()))
    with pytest.raises(InputError, match="this network has a Sequential"):
        draw_network(Sequential(Linear(2, 2), Sequential(Dropout(0.5), Linear(2, 1))))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
