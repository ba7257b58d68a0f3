"""A student's lib/experiments.py of sheet 3."""


def backward_pass(model, loss_fn, lr):
    grad = loss_fn.backward()
    model.backward(grad)
    for param in model.parameters():
        param.data = param.data - lr * param.grad
