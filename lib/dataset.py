"""The XOR data set: four points, of which those with exactly one 1 belong to class 1.

No straight line separates the two classes, which is why a network needs a hidden layer here.
"""
import numpy as np

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])
