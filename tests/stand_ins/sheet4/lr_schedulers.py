"""A student's lib/lr_schedulers.py of sheet 4."""
import math

from lib.optimizers import Optimizer


class LambdaLR:
    def __init__(self, optimizer, lr_lambda):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer)} is not an Optimizer")
        self.optimizer = optimizer
        self.lr_lambda = lr_lambda
        self.initial_lr = optimizer.lr
        self.last_epoch = 0

    def step(self):
        self.last_epoch += 1
        self.optimizer.lr = self.lr_lambda(self.last_epoch)


class PiecewiseConstantLR(LambdaLR):
    def __init__(self, optimizer, epochs, learning_rates):
        def rate(epoch):
            lr = self.initial_lr
            for boundary, new_rate in zip(epochs, learning_rates):
                if epoch > boundary:
                    lr = new_rate
            return lr
        super().__init__(optimizer, rate)


class CosineAnnealingLR(LambdaLR):
    def __init__(self, optimizer, T_max):
        super().__init__(optimizer, lambda epoch: self.initial_lr / 2 * (1 + math.cos(math.pi * epoch / T_max)))
