"""Pictures: what is drawn, by lib.plot, read back from the figures."""
from __future__ import annotations

import sys

import numpy as np
import pytest

from lib import plot
from lib.activations import ReLU
from lib.convolutions import Conv2d, Flatten
from lib.fitting.history import History
from lib.inspection.figures import base, boundary, curves, layers
from lib.inspection.figures import images as figures_images
from lib.inspection.figures.curves import plot_curves
from lib.layers.activations import Tanh
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear, Sequential
from lib.regularizers import Dropout
from lib.utilities import save_result
from tests.test_summary import everything

pytest.importorskip("matplotlib", reason="the pictures are drawn by Matplotlib")


@pytest.fixture(autouse=True)
def close_figures():
    """Free the memory that the figures take."""
    yield
    base.pyplot().close("all")


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def suptitle(figure):
    return figure.texts[-1].get_text()


def lines(axes):
    """Return the curves of a panel by their legend's label."""
    return {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}


def all_labelled(figure):
    """Return whether each panel with ticks says what its axes are."""
    panels = [axes for axes in figure.axes if axes.axison and axes.get_label() != "<colorbar>"]
    return all(axes.get_ylabel() and (axes.get_xlabel() or axes.get_shared_x_axes().get_siblings(axes))
               for axes in panels)


def make_history(num_epochs=3, **more):
    history = History()
    for epoch in range(num_epochs):
        history = history.with_epoch(loss=2 / (epoch + 1), accuracy=0.5 + epoch / 10,
                                     val_loss=3 / (epoch + 1), lr=0.1, seconds=1.0)
    history.update(more)
    return history


def test_history_shows_each_measure_with_its_validation():
    history = make_history()
    history.best_epoch = 2
    figure = history.plot()
    assert titles(figure) == ["Loss", "Accuracy"] and all_labelled(figure)
    loss, accuracy = figure.axes
    assert lines(loss)["training"] == history["loss"] and lines(loss)["validation"] == history["val_loss"]
    assert list(loss.get_lines()[0].get_xdata()) == [1, 2, 3]
    assert list(loss.get_lines()[2].get_xdata()) == [2, 2] and loss.get_lines()[2].get_label() == "best epoch"
    assert "validation" not in lines(accuracy)
    assert all(tick == int(tick) for tick in loss.get_xticks())  # epochs are whole numbers


def test_history_shows_a_learning_rate_that_changes_and_works_for_a_dict():
    assert titles(curves.plot_history(make_history(lr=[0.1, 0.05, 0.02]))) == ["Loss", "Accuracy", "Learning rate"]
    assert titles(curves.plot_history({"loss": [1.0]})) == ["Loss"]
    with pytest.raises(ValueError, match="nothing to draw"):
        curves.plot_history(History())


def test_curves_of_train_have_a_scale_for_each_cost():
    curves = ([300.0, 200.0], [0.8, 0.9], [30.0, 25.0], [0.7, 0.85])
    figure = plot_curves(curves)
    left, accuracies, right = figure.axes
    assert lines(left) == {"training": curves[0]} and lines(right) == {"validation": curves[2]}
    assert lines(accuracies) == {"training": curves[1], "validation": curves[3]}
    assert "training cost (mean" in left.get_ylabel() and "validation cost (sum" in right.get_ylabel()
    assert left.get_ylim()[1] > 200 > 100 > right.get_ylim()[1] and all_labelled(figure)
    for wrong in (curves[:3], ([], [], [], [])):
        with pytest.raises(ValueError, match="four sequences"):
            plot_curves(wrong)


def test_lr_schedules_are_drawn_as_they_run():
    (axes,) = plot.plot_lr_schedules().axes
    exponential, steps, cosine = lines(axes).values()
    assert len(exponential) == len(steps) == len(cosine) == 100
    assert exponential[:2] == pytest.approx([0.1, 0.095]) and exponential[99] == pytest.approx(0.1 * 0.95 ** 99)
    assert [steps[epoch] for epoch in (0, 20, 21, 60, 61)] == [0.1, 0.1, 0.05, 0.05, 0.01]
    assert cosine[0] == 0.1 and cosine[50] == pytest.approx(0.05) and cosine[99] < 1e-4


def test_learning_curves_are_those_that_compare_optimizers_saved(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="optimizers_comparison"):
        plot.plot_learning_curves()
    curves_of = {name: (np.array([3.0, 2.0]), np.array([0.5, 0.6]), np.array([1.0, 1.0]), np.array([0.4, 0.5]))
                 for name in ("sgd", "sgd_momentum", "adam")}
    save_result("optimizers_comparison", curves_of)
    costs, accuracies = plot.plot_learning_curves().axes
    assert lines(costs) == dict.fromkeys(curves_of, [3.0, 2.0])
    assert lines(accuracies) == dict.fromkeys(curves_of, [0.4, 0.5])


def test_comparison_draws_each_run():
    runs = {"SGD": ([3.0, 2.0], [0.5, 0.6], [1.0, 1.0], [0.4, 0.5]),
            "Adam": ([2.0, 1.0], [0.5, 0.6], [1.0, 1.0], [0.6, 0.8])}
    figure = curves.plot_comparison(runs)
    costs, accuracies = figure.axes
    assert lines(costs) == {"SGD": [3.0, 2.0], "Adam": [2.0, 1.0]} and costs.get_yscale() == "log"
    assert lines(accuracies) == {"SGD": [0.4, 0.5], "Adam": [0.6, 0.8]} and accuracies.get_legend() is not None
    assert all_labelled(figure)


def test_the_boundary_stands_where_two_classes_are_equally_likely():
    model = Sequential(Linear(2, 2), Dropout(0.9))
    model[0].W.data[:], model[0].b.data[:] = [[0, 3], [0, 0]], [0, -1.5]  # P(1) > 1/2 where x1 > 0.5
    x = np.array([[-1, 0], [2, 1], [0, 3.0]])
    figure = boundary.plot_decision_boundary(model, x, np.array([0, 1, 0]), resolution=101)
    axes = figure.axes[0]
    contour = [path for collection in axes.collections for path in collection.get_paths()
               if len(path.vertices) > 50 and np.ptp(path.vertices[:, 0]) < 1e-6]
    assert contour and contour[0].vertices[0, 0] == pytest.approx(0.5, abs=0.01)
    assert axes.get_xlim()[0] < -1 and axes.get_xlim()[1] > 2 and axes.get_ylim()[1] > 3
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["class 0", "class 1"]
    assert figure.axes[1].get_ylabel() == "predicted probability of class 1" and all_labelled(figure)
    assert model[1].training


@pytest.mark.parametrize("labels", [[0, 1, 1], [[0], [1], [1]], [[1, 0], [0, 1], [0, 1]]])
def test_the_boundary_takes_one_logit_and_every_kind_of_labels(labels):
    model = Sequential(Linear(2, 1))
    model[0].W.data[:], model[0].b.data[:] = [[1], [0]], 0
    figure, axes = base.pyplot().subplots()
    x = np.array([[-1.0, 0], [1, 1], [2, 3]])
    assert boundary.plot_decision_boundary(model, x, np.array(labels), axes=axes, resolution=20) is figure
    points = {collection.get_label(): collection.get_offsets().data.tolist() for collection in axes.collections
              if str(collection.get_label()).startswith("class")}
    assert points == {"class 0": [[-1, 0]], "class 1": [[1, 1], [2, 3]]}


def test_the_regions_of_three_classes_have_the_colours_of_their_points():
    model = Sequential(Linear(2, 3))
    model[0].W.data[:], model[0].b.data[:] = [[-9, 0, 9], [0, 0, 0]], [-9, 0, -9]  # borders at x1 = -1 and x1 = 1
    x = np.array([[-2.0, 0], [0, 1], [2, 0]])
    axes = boundary.plot_decision_boundary(model, x, np.array([0, 1, 2]), resolution=60).axes[0]
    image = axes.get_images()[0].get_array()
    for column, point in ((3, 0), (30, 1), (56, 2)):
        color = axes.collections[point].get_facecolor()[0, :3]
        pale = 1 - image[30, column]
        np.testing.assert_allclose(pale / pale.max(), (1 - color) / (1 - color).max(), atol=0.01)
    with pytest.raises(ValueError, match=r"points in the plane, \(N, 2\)"):
        boundary.plot_decision_boundary(model, np.zeros((4, 3)), np.zeros(4))


def test_weights_become_images_of_one_scale():
    model = Sequential(Flatten(), Linear(12, 5), ReLU(), Linear(5, 2))
    figure = figures_images.plot_weights(model, image_shape=(3, 4), num_units=4)
    images = [axes.get_images()[0] for axes in figure.axes[:4]]
    for unit, image in enumerate(images):
        np.testing.assert_array_equal(image.get_array(), model[1].W.data[:, unit].reshape(3, 4))
    limit = np.abs(model[1].W.data[:, :4]).max()
    assert {image.get_clim() for image in images} == {(-limit, limit)}
    assert titles(figure)[:4] == ["unit 0", "unit 1", "unit 2", "unit 3"]
    assert len(figures_images.plot_weights(Conv2d(1, 6, (3, 3))).axes) >= 6
    assert figures_images.plot_weights(np.zeros((16, 1))).axes[0].get_images()[0].get_array().shape == (4, 4)
    for wrong, match in ((model, "no image of height 3 and width 3"), (ReLU(), "no layer with weights"),
                         (np.zeros(4), "expects a matrix")):
        with pytest.raises(ValueError, match=match):
            figures_images.plot_weights(wrong)


@pytest.mark.parametrize("shape, one_hot", [((6, 4), False), ((6, 2, 2), True), ((6, 1, 2, 2), False)])
def test_misclassified_images_come_by_how_sure_the_model_was(shape, one_hot):
    model = Sequential(Flatten(), Linear(4, 2))
    model[1].W.data[:], model[1].b.data[:] = [[0, 1], [0, 0], [0, 0], [0, 0]], 0  # class 1 where the first pixel > 0
    first_pixels = np.array([1.0, -1, 2, 3, -2, 4])
    labels = np.array([0, 0, 0, 1, 1, 1])  # wrong: the examples 0 (sure by 1), 2 and 4 (both by 2)
    x = np.zeros((6, 4))
    x[:, 0] = first_pixels
    figure = figures_images.plot_misclassified(model, x.reshape(shape), np.eye(2)[labels] if one_hot else labels)
    shown = [axes.get_images()[0].get_array()[0, 0] for axes in figure.axes if axes.get_images()]
    assert shown == [2, -2, 1]
    assert titles(figure)[:3] == ["0 taken for 1\n(probability 88%)", "1 taken for 0\n(probability 88%)",
                                  "0 taken for 1\n(probability 73%)"]
    assert suptitle(figure) == "3 of 6 examples are misclassified (50.00%)"
    figure = figures_images.plot_misclassified(model, x.reshape(shape)[[1, 3]], np.array([0, 1]))
    assert suptitle(figure).startswith("0 of 2 examples")
    figure = figures_images.plot_misclassified(model, x.reshape(shape), labels, num_examples=1)
    assert [len(axes.get_images()) for axes in figure.axes] == [1, 0, 0, 0] and not figure.axes[1].axison


def heights(axes):
    return sum(patch.get_height() for patch in axes.patches)


def test_activations_of_each_layer_with_the_share_of_zeros():
    model = Sequential(Linear(4, 6), ReLU(), Dropout(0.5), Linear(6, 3))
    x = np.random.randn(50, 4)
    figure = layers.plot_activations(model, x)
    assert [title.splitlines()[0] for title in titles(figure)[:4]] == ["[0] Linear", "[1] ReLU", "[2] Dropout",
                                                                       "[3] Linear"]
    assert [heights(axes) for axes in figure.axes[:4]] == [300, 300, 300, 150]
    zeros = np.mean(np.maximum(model[0](x), 0) == 0)
    assert f"{zeros:.0%} zeros" in titles(figure)[1] and f"{zeros:.0%} zeros" in titles(figure)[2]
    assert figure.axes[0].get_xlabel() == "activation" and all_labelled(figure)


def test_gradients_of_each_parameter_and_of_each_output():
    model = Sequential(Linear(4, 6), Tanh(), Linear(6, 3))
    x, y = np.random.randn(50, 4), np.random.randn(50, 3)
    figure = layers.plot_gradients(model, MSELoss(), x, y)
    assert [title.splitlines()[0] for title in titles(figure)[:4]] == ["[0].W", "[0].b", "[2].W", "[2].b"]
    assert [heights(axes) for axes in figure.axes[:4]] == [24, 6, 18, 3] and all_labelled(figure)
    gradient = ((model(x) - y) / 50)
    figure = layers.plot_gradients(model, MSELoss(), x, y, wrt="outputs")
    assert [heights(axes) for axes in figure.axes[:3]] == [300, 300, 150]
    assert f"mean {gradient.mean():.2g}, std {gradient.std():.2g}" in titles(figure)[2]
    assert Linear(2, 2)(np.ones((1, 2))).shape == (1, 2)
    assert len(layers.plot_gradients(Linear(4, 3), MSELoss(), x, y, wrt="outputs").axes) == 1
    with pytest.raises(ValueError, match="wrt"):
        layers.plot_gradients(model, MSELoss(), x, y, wrt="inputs")


def test_drawing_leaves_the_model_and_the_random_state_as_they_are():
    model = Sequential(Linear(2, 5), Dropout(0.5), Linear(5, 3))
    x, y = np.random.randn(9, 2), np.eye(3)[np.arange(9) % 3]
    loss_fn = CrossEntropyLoss()
    loss_fn(model(x), y)
    model.backward(loss_fn.backward())
    before, state = everything(model), np.random.get_state()[1].tolist()
    layers.plot_activations(model, x)
    layers.plot_gradients(model, CrossEntropyLoss(), x, y)
    figures_images.plot_weights(model, image_shape=(1, 2))
    assert everything(model) == before and np.random.get_state()[1].tolist() == state


def test_a_figure_is_saved_closed_and_overwrites_at_once(tmp_path):
    for name, start in (("a.png", b"\x89PNG"), ("b.svg", b"<?xml")):
        path = base.save_figure(plot.plot_relu(), tmp_path / "pictures" / name)
        assert path.read_bytes().startswith(start)
    assert base.pyplot().get_fignums() == []


def test_without_matplotlib_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        curves.plot_history(make_history())


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
