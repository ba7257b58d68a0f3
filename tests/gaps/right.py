"""Right solutions of the main sheet's seven gaps, in as many styles as can be thought of, by the task's name.

None of them may fail any test that a student has, nor be accused by the board.
"""
from typing import Dict, List

RIGHT: Dict[str, List[str]] = {
    "zero_grad": [
        """
for param in params:
    param.grad = np.zeros_like(param.data)
""", """
for p in params:
    p.grad = np.zeros(p.data.shape)
""", """
for p in params:
    p.grad = 0.0 * p.data
""", """
for param in params:
    param.grad = np.full(param.data.shape, 0.0)
""", """
for i in range(len(params)):
    params[i].grad = np.zeros_like(params[i].data)
""", """
for index, param in enumerate(params):
    params[index].grad = np.zeros(np.shape(param.data))
""", """
for param in params:
    if param.grad is None:
        param.grad = np.zeros_like(param.data)
    else:
        param.grad.fill(0)
""", """
for param in params:
    if param.grad is None:
        param.grad = np.zeros_like(param.data)
    param.grad[:] = 0
""", """
[setattr(param, "grad", np.zeros(param.data.shape)) for param in params]
""", """
def reset(parameter):
    parameter.grad = np.zeros_like(parameter.data)

for param in params:
    reset(param)
""", """
it = iter(params)
while True:
    try:
        param = next(it)
    except StopIteration:
        break
    param.grad = np.zeros_like(param.data)
"""],
    "ReLU.backward": [
        """
return grad * (self.input_cache > 0)
""", """
return grad * (self.input_cache >= 0)
""", """
return np.where(self.input_cache > 0, grad, 0)
""", """
return np.where(self.input_cache <= 0, 0, grad)
""", """
derivative = np.zeros_like(self.input_cache)
derivative[self.input_cache > 0] = 1
return grad * derivative
""", """
grad_input = grad.copy()
grad_input[self.input_cache < 0] = 0
return grad_input
""", """
return grad * np.heaviside(self.input_cache, 0.5)
""", """
return grad * np.heaviside(self.input_cache, 1)
""", """
return np.multiply(grad, np.greater(self.input_cache, 0).astype(np.float64))
""", """
x = self.input_cache
return grad * (np.sign(x) + 1) / 2
""", """
mask = np.array(self.input_cache > 0, dtype=int)
grad_input = mask * grad
return grad_input
""", """
step = np.vectorize(lambda x: 1.0 if x > 0 else 0.0)
return step(self.input_cache) * grad
""", """
x = self.input_cache
out = np.empty_like(grad)
for index in np.ndindex(x.shape):
    out[index] = grad[index] if x[index] > 0 else 0.0
return out
""", """
return grad * (self.forward(self.input_cache) > 0)
""", """
return grad * np.minimum(np.ceil(np.maximum(self.input_cache, 0)), 1)
""", """
rows, columns = grad.shape
out = np.zeros((rows, columns))
for i in range(rows):
    for j in range(columns):
        if self.input_cache[i][j] > 0:
            out[i][j] = grad[i][j]
return out
""", """
return np.array([[g if x > 0 else 0.0 for g, x in zip(*rows)] for rows in zip(grad, self.input_cache)])
"""],
    "Linear.backward": [
        """
x = self.input_cache
self.W.grad += x.T @ grad
self.b.grad += grad.sum(axis=0)
grad_input = grad @ self.W.data.T
return grad_input
""", """
self.W.grad += np.dot(self.input_cache.T, grad)
self.b.grad += np.sum(grad, axis=0)
return np.dot(grad, self.W.data.T)
""", """
self.W.grad = self.W.grad + np.matmul(np.transpose(self.input_cache), grad)
self.b.grad = self.b.grad + np.sum(grad, 0)
return np.matmul(grad, np.transpose(self.W.data))
""", """
self.W.grad += np.einsum("ni,nj->ij", self.input_cache, grad)
self.b.grad += np.einsum("nj->j", grad)
return np.einsum("nj,ij->ni", grad, self.W.data)
""", """
self.W.grad += (grad.T @ self.input_cache).T
self.b.grad += np.ones(len(grad)) @ grad
return (self.W.data @ grad.T).T
""", """
x = self.input_cache
for n in range(x.shape[0]):
    self.W.grad += np.outer(x[n], grad[n])
    self.b.grad += grad[n]
grad_input = np.zeros_like(x)
for n in range(x.shape[0]):
    grad_input[n] = self.W.data @ grad[n]
return grad_input
""", """
grad_W = np.tensordot(self.input_cache, grad, axes=(0, 0))
grad_b = np.add.reduce(grad)
self.W.grad += grad_W
self.b.grad += grad_b
return np.tensordot(grad, self.W.data, axes=(1, 1))
""", """
self.W.grad += (self.input_cache[:, :, None] * grad[:, None, :]).sum(axis=0)
self.b.grad += grad.sum(axis=0, keepdims=True).reshape(-1)
return (grad[:, None, :] * self.W.data[None, :, :]).sum(axis=2)
""", """
W, b = self.parameters()
W.grad += self.input_cache.T.dot(grad)
b.grad += grad.sum(0)
return grad.dot(W.data.T)
""", """
batch = grad.shape[0]
self.W.grad += self.input_cache.T @ grad
self.b.grad += np.mean(grad, axis=0) * batch
return grad @ self.W.data.T
""", """
np.add(self.W.grad, self.input_cache.T @ grad, out=self.W.grad)
np.add(self.b.grad, grad.sum(axis=0), out=self.b.grad)
return grad @ self.W.data.T
"""],
    "CrossEntropyLoss.backward": [
        """
softmax, labels = self.input_cache
softmax[labels == 1] -= 1  # reuses the cache: one backward follows each forward
return softmax / len(labels)
""", """
softmax, labels = self.input_cache
return (softmax - labels) / labels.shape[0]
""", """
softmax, labels = self.input_cache
return (softmax - labels) / len(labels)
""", """
softmax, labels = self.input_cache
return (softmax - labels) / len(softmax)
""", """
softmax, labels = self.input_cache
n = softmax.shape[0]
return 1 / n * (softmax - labels)
""", """
p, y = self.input_cache[0], self.input_cache[1]
return np.divide(np.subtract(p, y), p.shape[0])
""", """
p, y = self.input_cache
return -(y - p) / np.shape(y)[0]
""", """
p, y = self.input_cache
grad = p.copy()
grad -= y
grad /= y.shape[0]
return grad
""", """
p, y = self.input_cache
grad = np.zeros_like(p)
for n in range(len(p)):
    for k in range(p.shape[1]):
        grad[n, k] = (p[n, k] - y[n, k]) / len(p)
return grad
""", """
softmax, labels = self.input_cache
batch_size, num_classes = softmax.shape
return (softmax - labels) * (num_classes / softmax.size)
""", """
softmax, labels = self.input_cache
per_example = [p - y for p, y in zip(softmax, labels)]
return np.array(per_example) / len(per_example)
""", """
softmax, labels = self.input_cache
return softmax / len(softmax) - labels / len(labels)
"""],
    "Sequential.backward": [
        """
for module in reversed(self.modules):
    grad = module.backward(grad)
return grad
""", """
for module in self.modules[::-1]:
    grad = module.backward(grad)
return grad
""", """
for i in range(len(self.modules) - 1, -1, -1):
    grad = self.modules[i].backward(grad)
return grad
""", """
for i in reversed(range(len(self.modules))):
    grad = self.modules[i].backward(grad)
return grad
""", """
i = len(self.modules)
while i > 0:
    i -= 1
    grad = self.modules[i].backward(grad)
return grad
""", """
from functools import reduce
return reduce(lambda g, module: module.backward(g), reversed(self.modules), grad)
""", """
modules = list(self.modules)
modules.reverse()
for module in modules:
    grad = module.backward(grad)
return grad
""", """
stack = list(self.modules)
while stack:
    grad = stack.pop().backward(grad)
return grad
""", """
grads = [grad]
for i in range(1, len(self.modules) + 1):
    grads.append(self.modules[-i].backward(grads[-1]))
return grads[-1]
""", """
def back(modules, upstream):
    if len(modules) == 0:
        return upstream
    return back(modules[:-1], modules[-1].backward(upstream))

return back(self.modules, grad)
"""],
    "check_gradients": [
        """
model = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 20))
model.check_gradients((x,))
""", """
Sequential(Linear(10, 5), ReLU(), Linear(5, 2)).check_gradients((np.random.randn(2, 10),))
""", """
net = Sequential(Linear(4, 3), Sigmoid())
net.check_gradients((np.random.uniform(-1, 1, (7, 4)),))
""", """
sequential = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 20))
input_args = (np.random.uniform(-1, 1, (2, 10)),)
sequential.check_gradients_wrt_input(input_args, 1e-6)
sequential.check_gradients_wrt_params(input_args, 1e-6)
""", """
layers = [Linear(3, 4), ReLU(), Linear(4, 4), Sigmoid(), Linear(4, 2)]
Sequential(*layers).check_gradients((np.random.normal(size=(5, 3)),))
""", """
model = Sequential(Linear(10, 6), Sigmoid(), Linear(6, 3))
model.check_gradients(input_args=(x,))
""", """
for hidden in (1, 5):
    network = Sequential(Linear(10, hidden), ReLU(), Linear(hidden, 10))
    network.check_gradients(tuple([x]))
""", """
sequential = Sequential(Linear(10, 30), Linear(30, 2))
x_seq = np.random.uniform(-1, 1, (1, 10))
sequential.check_gradients((x_seq,))
"""],
    "backward_pass": [
        """
model.backward(loss_fn.backward())
for param in model.parameters():
    param.data -= lr * param.grad
""", """
grad = loss_fn.backward()
model.backward(grad)
for param in model.parameters():
    param.data = param.data - lr * param.grad
""", """
model.backward(loss_fn.backward(None))
for p in model.parameters():
    p.data += -lr * p.grad
""", """
grad = loss_fn.backward(1)
grad = model.backward(grad)
params = model.parameters()
for i in range(len(params)):
    params[i].data -= np.multiply(lr, params[i].grad)
""", """
model.backward(loss_fn.backward())
for module in model.modules:
    for param in module.parameters():
        param.data -= lr * param.grad
""", """
grad = loss_fn.backward()
for module in reversed(model.modules):
    grad = module.backward(grad)
for param in model.parameters():
    param.data -= lr * param.grad
""", """
model.backward(loss_fn.backward())
for param in model.parameters():
    step = lr * param.grad
    np.subtract(param.data, step, out=param.data)
""", """
dloss = loss_fn.backward()
model.backward(dloss)
update = [p.data - lr * p.grad for p in model.parameters()]
for p, new in zip(model.parameters(), update):
    p.data = new
""", """
for param in model.parameters():
    param.grad = np.zeros_like(param.data)
model.backward(loss_fn.backward())
for param in model.parameters():
    param.data -= lr * param.grad
"""],
}
