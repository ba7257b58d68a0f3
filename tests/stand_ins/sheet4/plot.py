"""A student's lib/plot.py of sheet 4."""
import matplotlib.pyplot as plt
import numpy as np

from lib.lr_schedulers import CosineAnnealingLR, PiecewiseConstantLR
from lib.network_base import Parameter
from lib.optimizers import SGD
from lib.utilities import load_result


def plot_learning_curves():
    results = load_result("optimizers_comparison")
    for i, title in enumerate(["Training cost", "Training accuracy", "Validation cost", "Validation accuracy"]):
        plt.subplot(2, 2, i + 1)
        for name in results:
            plt.plot(results[name][i])
        plt.title(title)
        plt.legend(list(results))
    plt.show()
    plt.close()


def plot_lr_schedules():
    for make in (lambda optimizer: PiecewiseConstantLR(optimizer, [10, 20], [0.05, 0.01]),
                 lambda optimizer: CosineAnnealingLR(optimizer, 40)):
        optimizer = SGD([Parameter(np.zeros(1))], lr=0.1)
        scheduler = make(optimizer)
        rates = []
        for _ in range(40):
            rates.append(optimizer.lr)
            scheduler.step()
        plt.plot(range(40), rates, label=type(scheduler).__name__)
    plt.legend()
    plt.show()
