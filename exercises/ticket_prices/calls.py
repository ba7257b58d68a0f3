"""What grading calls in the ticket sheet: a student's Network with given weights, asked for one thing at a time."""
from exercises.ticket_prices import train_network


def network(W1, b1, W2, b2):
    """Return a Network with these weights."""
    made = train_network.Network(*W1.shape)
    made.W1, made.b1, made.W2, made.b2 = W1, b1, W2, b2
    return made


def forward(weights, x):
    """Return the predictions."""
    return network(*weights).forward(x)


def loss(weights, x, y):
    """Return the loss of the predictions."""
    made = network(*weights)
    made.forward(x)
    return made.loss(y)


def backward(weights, x, y):
    """Return the gradients of W1, b1, W2 and b2."""
    made = network(*weights)
    made.forward(x)
    return made.backward(y)


def step(weights, gradients, lr):
    """Return the weights after a step."""
    made = network(*weights)
    made.step(gradients, lr)
    return made.W1, made.b1, made.W2, made.b2
