"""Mistakes in the main sheet's gaps as students make them, and what has to be said, as a regular expression.

The expression names the cause, or, for an exception, the student's own line and what is wrong with it.
"""
from typing import Dict, List, Tuple

WRONG: Dict[str, List[Tuple[str, str]]] = {
    "zero_grad": [
        ("""
for param in params:
    param.grad = 0
""", r"the number 0, not an array"),
        ("""
for param in params:
    param.grad = 0.0
""", r"the number 0, not an array"),
        ("""
for param in params:
    param.grad = None
""", r"None"),
        ("""
for param in params:
    param.data = np.zeros_like(param.data)
""", r"changes W\.data"),
        ("""
for param in params:
    param.grad *= 0
""", r"param\.grad \*= 0.*None|None.*param\.grad \*= 0"),
        ("""
for param in params:
    param.grad.fill(0)
""", r"param\.grad\.fill\(0\).*None"),
        ("""
for param in params:
    param.grad = np.zeros_like(param)
""", r"shape \(\)"),
        ("""
for param in params:
    param.grad = np.zeros_like(param.grad)
""", r"shape \(\)|object"),
        ("""
for param in params:
    param.grad = np.zeros(param.data.size)
""", r"shape \(12,\)"),
        ("""
for param in params:
    param.grad = np.zeros_like(param.data)
    return
""", r"return inside of the loop"),
        ("""
for param in params:
    grad = np.zeros_like(param.data)
""", r"every param\.grad is as it was"),
        ("""
params.grad = np.zeros_like(params.data)
""", r"params\.grad = np.zeros_like\(params\.data\)[\s\S]*'list' object has no attribute 'data'"),
        ("""
for param in params:
    param.grad = np.zeros(param.shape)
""", r"param\.grad = np\.zeros\(param\.shape\)[\s\S]*no attribute 'shape'"),
        ("""
for param in params:
    param.zero_grad()
""", r"param\.zero_grad\(\)[\s\S]*no attribute 'zero_grad'"),
        ("""
for param in params:
    param.grad = zeros_like(param.data)
""", r"param\.grad = zeros_like\(param\.data\)[\s\S]*'zeros_like' is not defined"),
        ("""
for param in params:
    param.grad = np.ones_like(param.data)
""", r"isn't zero"),
        ("""
for param in params:
    param.grad = np.zeros(param.data.shape, dtype=int)
""", r"int64|integers"),
        ("""
# reset the gradients here
""", r"still empty"),
        ("""
for param in params
    param.grad = np.zeros_like(param.data)
""", r"for param in params[\s\S]*(invalid syntax|expected ':')"),
        ("""
for i in range(params):
    params[i].grad = 0
""", r"for goes through a list itself"),
        ("""
for i, param in params:
    param.grad = np.zeros_like(param.data)
""", r"several names for one thing"),
        ("""
for param in params:
    param.grad.zero_()
""", r"param\.grad\.zero_\(\)[\s\S]*Tensors of another library"),
        ("""
raise NotImplementedError
for param in params:
    param.grad = np.zeros_like(param.data)
""", r"raise NotImplementedError still stands before your own lines"),
        ("""
input("go on?")
for param in params:
    param.grad = np.zeros_like(param.data)
""", r"input\(\) waits for somebody to type"),
        ("""
for param in params:
    param.grad = np.zeros(param.data.shape[0], param.data.shape[-1])
""", r"A shape is one argument, a tuple"),
    ],
    "ReLU.backward": [
        ("""
return grad * (grad > 0)
""", r"mask looks at the gradient"),
        ("""
return self.input_cache > 0
""", r"upstream gradient is ignored|not an array of real numbers|bool"),
        ("""
return np.where(self.input_cache > 0, 1, 0)
""", r"upstream gradient is ignored"),
        ("""
return np.where(self.input_cache > 0, 1.0, 0.0)
""", r"upstream gradient is ignored"),
        ("""
return grad
""", r"mask .*missing"),
        ("""
return np.maximum(0, grad)
""", r"mask looks at the gradient"),
        ("""
return np.maximum(0, self.input_cache)
""", r"upstream gradient is ignored"),
        ("""
return grad * np.maximum(0, self.input_cache)
""", r"input itself|derivative|formula"),
        ("""
return grad * (self.input_cache < 0)
""", r"mask is inverted"),
        ("""
grad * (self.input_cache > 0)
""", r"return is missing"),
        ("""
grad_input = grad * (self.input_cache > 0)
""", r"return is missing"),
        ("""
return grad @ (self.input_cache > 0)
""", r"return grad @ \(self\.input_cache > 0\)[\s\S]*(don't fit|mismatch|entry by entry)"),
        ("""
if self.input_cache > 0:
    return grad
else:
    return 0
""", r"if self\.input_cache > 0:[\s\S]*(ambiguous|one truth)"),
        ("""
return gradient * (self.input_cache > 0)
""", r"return gradient \* \(self\.input_cache > 0\)[\s\S]*'gradient' is not defined"),
        ("""
return grad * (input_cache > 0)
""", r"return grad \* \(input_cache > 0\)[\s\S]*'input_cache' is not defined"),
        ("""
return grad * (x > 0)
""", r"return grad \* \(x > 0\)[\s\S]*'x' is not defined"),
        ("""
return grad * self.input_cache
""", r"derivative|formula|input itself"),
        ("""
return grad * (self.input_cache > 0) * 2
""", r"constant factor"),
        ("""
# dL/dx = grad * dy/dx
""", r"still empty"),
        ("""
pass
""", r"still empty"),
        ("""
return grad * (self.input > 0)
""", r"Is input_cache meant"),
        ("""
return grad * (self.input_cache > 0), self.input_cache
""", r"tuple of 2[\s\S]*isn't an array of numbers"),
        ("""
return lambda g: g * (self.input_cache > 0)
""", r"a function, not an array[\s\S]*isn't an array of numbers"),
        ("""
return grad * np.heavyside(self.input_cache, 0)
""", r"Is np\.heaviside meant"),
        ("""
return grad * (self.input_cache > 1)
""", r"changes at another number than 0"),
        ("""
assert grad.shape == (4, 5)
return grad * (self.input_cache > 0)
""", r"What stands after this assert isn't true"),
        ("""
return grad * grad.size() * (self.input_cache > 0)
""", r"is an int, not a function\.$"),
        ("""
return grad * np.where(self.input_cache => 0, 1, 0)
""", r"Comparisons are written >= and <="),
        ("""
print(“backward”)
return grad * (self.input_cache > 0)
""", r"Quotes are ' or"),
        ("""
return grad * self.input_cache > 0
""", r"True and False, not numbers: is a comparison computed last|isn't an array of numbers"),
        ("""
return grad * np.where(self.input_cache > 0)
""", r"takes a where it holds"),
    ],
    "Linear.backward": [
        ("""
self.W.grad = self.input_cache.T @ grad
self.b.grad = grad.sum(axis=0)
return grad @ self.W.data.T
""", r"overwritten instead of accumulated"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=0)
return grad @ self.W.T
""", r"return grad @ self\.W\.T[\s\S]*(no attribute 'T'|self\.W\.data\.T)"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad
return grad @ self.W.data.T
""", r"sum over the batch is missing"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum()
return grad @ self.W.data.T
""", r"wrong axis|over all|one number|sum"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=1)
return grad @ self.W.data.T
""", r"self\.b\.grad \+= grad\.sum\(axis=1\)|wrong axis"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.mean(axis=0)
return grad @ self.W.data.T
""", r"mean over the batch"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += np.sum(grad, axis=0, keepdims=True)
return grad @ self.W.data.T
""", r"self\.b\.grad \+= np\.sum\(grad, axis=0, keepdims=True\)[\s\S]*keepdims"),
        ("""
self.W.grad += grad.T @ self.input_cache
self.b.grad += grad.sum(axis=0)
return grad @ self.W.data.T
""", r"self\.W\.grad \+= grad\.T @ self\.input_cache|transposed"),
        ("""
self.W.grad += self.input_cache @ grad
self.b.grad += grad.sum(axis=0)
return grad @ self.W.data.T
""", r"self\.W\.grad \+= self\.input_cache @ grad[\s\S]*don't fit"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=0)
return grad @ self.W.data
""", r"return grad @ self\.W\.data[\s\S]*don't fit"),
        ("""
self.W.grad += self.input_cache.T @ grad / len(grad)
self.b.grad += grad.sum(axis=0) / len(grad)
return grad @ self.W.data.T
""", r"mean over the batch"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=0)
""", r"return is missing|grad_input[\s\S]*(not defined|local variable|not associated)"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=0)
return grad
""", r"passed on unchanged|shape"),
        ("""
self.W.grad += self.input_cache.T @ grad
return grad @ self.W.data.T
""", r"b[\s\S]*(stays zero|nothing is ever put into it)"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += 1
return grad @ self.W.data.T
""", r"Linear\.b\.grad"),
        ("""
self.W.data -= self.input_cache.T @ grad
self.b.data -= grad.sum(axis=0)
return grad @ self.W.data.T
""", r"value of a parameter is changed|parameter"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=0)
return np.dot(self.W.data, grad)
""", r"np\.dot\(self\.W\.data, grad\)[\s\S]*don't fit"),
        ("""
self.W.grad += self.input_cache.T * grad
self.b.grad += grad.sum(axis=0)
return grad * self.W.data.T
""", r"self\.W\.grad \+= self\.input_cache\.T \* grad[\s\S]*(entry by entry|@|product)"),
        ("""
self.W.grad += np.dot(x.T, grad)
self.b.grad += np.sum(grad, axis=0)
return np.dot(grad, self.weight.data.T)
""", r"no attribute 'weight'|'x' is not defined"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=0)
grad_input = self.W.data.T
return grad_input
""", r"shape"),
        ("""
dW = self.input_cache.T @ grad
db = grad.sum(axis=0)
return dW, db
""", r"tuple|return"),
        ("""
dW = self.input_cache.T @ grad
db = grad.sum(axis=0)
return grad @ self.W.data.T
""", r"W\.grad[\s\S]*(stays zero|nothing is ever put into it)"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=0)
return self.W.grad
""", r"shape"),
        ("""
# todo
""", r"still empty|grad_input"),
        ("""
self.W.grad += self.x.T @ grad
self.b.grad += grad.sum(axis=0)
return grad @ self.W.data.T
""", r"What forward got is in self\.input_cache"),
        ("""
self.W.grad += self.input_cache.T @ grad
self.b.grad += grad.sum(axis=0)
return grad @ self.W
""", r"self\.W is a Parameter[\s\S]*self\.W\.data"),
    ],
    "CrossEntropyLoss.backward": [
        ("""
softmax, labels = self.input_cache
return softmax - labels
""", r"1/N"),
        ("""
softmax, labels = self.input_cache
return (labels - softmax) / len(labels)
""", r"sign"),
        ("""
softmax, labels = self.input_cache
return (softmax - labels) / labels.shape[1]
""", r"factor|1/N|mean"),
        ("""
softmax, labels = self.input_cache
return (softmax - labels) / labels.size
""", r"factor|1/N|mean"),
        ("""
softmax, labels = self.input_cache
return softmax / len(labels)
""", r"term|labels|formula"),
        ("""
softmax, labels = self.input_cache
return -labels / softmax / len(labels)
""", r"softmax|formula|logits"),
        ("""
softmax, labels = self.input_cache
return np.mean(softmax - labels, axis=0)
""", r"shape"),
        ("""
softmax, labels = self.input_cache
return np.sum(softmax - labels) / len(labels)
""", r"shape"),
        ("""
softmax, labels = self.input_cache
(softmax - labels) / len(labels)
""", r"return is missing"),
        ("""
softmax, labels = self.input_cache
return _ * (softmax - labels) / len(labels)
""", r"return _ \* \(softmax - labels\) / len\(labels\)[\s\S]*(NoneType|None)|upstream"),
        ("""
softmax, labels = self.input_cache
return (softmax - labels) / N
""", r"return \(softmax - labels\) / N[\s\S]*'N' is not defined"),
        ("""
preds, labels = self.input_cache
softmax = np.exp(preds) / np.sum(np.exp(preds), axis=1, keepdims=True)
return (softmax - labels) / len(labels)
""", r"output instead of the input|another one|formula|softmax"),
        ("""
softmax, labels = self.input_cache
return (softmax - 1) / len(labels)
""", r"formula|labels|term|derivative"),
        ("""
pass
""", r"still empty"),
        ("""
return (softmax - labels) / self.batch_size
""", r"no attribute 'batch_size'\. It has input_cache"),
        ("""
return (preds - labels) / len(preds)
""", r"which knows softmax, labels"),
        ("""
softmax[range(len(labels)), labels] -= 1
return softmax / len(labels)
""", r"labels\.argmax\(axis=1\)"),
        ("""
return softmax - labels / len(labels)
""", r"division reaches only one of two terms"),
        ("""
return softmax / len(labels) - labels
""", r"division reaches only one of two terms"),
        ("""
return (softmax - labels) // len(labels)
""", r"rounded down to an integer|rounded to a lower precision, or to integers"),
        ("""
return (softmax - labels) * len(labels)
""", r"N\^2|wrong by a constant factor"),
        ("""
return (softmax - labels) / labels.shape
""", r"\.shape is a tuple"),
        ("""
return 1 / len(labels) (softmax - labels)
""", r"Is a \* missing there"),
        ("""
return grad * (softmax - labels) / len(labels)
""", r"Nothing comes after a loss"),
        ("""
import sys
sys.exit(0)
""", r"SystemExit[\s\S]*ends the whole program"),
        ("""
return Softmax().backward(softmax - labels) / len(labels)
""", r"from lib\.activations import Softmax"),
        ("""
return abs(softmax - labels) / len(labels)
""", r"he absolute value of the gradient is taken"),
        ("""
return (softmax - labels) ** 2 / len(labels)
""", r"factor of the derivative is squared"),
    ],
    "Sequential.backward": [
        ("""
for module in self.modules[::-1]:
    grad = Module.backward(grad)
return grad
""", r"grad = Module\.backward\(grad\)[\s\S]*call it on an object"),
        ("""
for module in self.modules:
    grad = module.backward(grad)
return grad
""", r"forward order|self\.modules"),
        ("""
for module in reversed(self.modules):
    module.backward(grad)
return grad
""", r"same gradient is handed to every layer"),
        ("""
for module in reversed(self.modules):
    grad = module.backward(grad)
""", r"return is missing"),
        ("""
for module in reversed(self.modules):
    grad = module.backward(grad)
    return grad
""", r"layer is skipped|backward isn't called"),
        ("""
for module in reversed(self.modules):
    grad = module(grad)
return grad
""", r"layer|forward|grad"),
        ("""
for module in self.modules.reverse():
    grad = module.backward(grad)
return grad
""", r"for module in self\.modules\.reverse\(\):[\s\S]*('NoneType' object is not iterable|no attribute 'reverse')"),
        ("""
for i in range(len(self.modules), 0, -1):
    grad = self.modules[i].backward(grad)
return grad
""", r"grad = self\.modules\[i\]\.backward\(grad\)[\s\S]*index out of range"),
        ("""
for i in range(len(self.modules) - 1, 0, -1):
    grad = self.modules[i].backward(grad)
return grad
""", r"layer is skipped|backward isn't called"),
        ("""
for module in reversed(self.modules):
    grad += module.backward(grad)
return grad
""", r"grad \+= module\.backward\(grad\)|added|upstream"),
        ("""
for module in reversed(modules):
    grad = module.backward(grad)
return grad
""", r"'modules' is not defined"),
        ("""
for module in reversed(self.modules):
    grad = module.backward()
return grad
""", r"grad = module\.backward\(\)[\s\S]*missing 1 required positional argument: 'grad'"),
        ("""
pass
""", r"still empty"),
        ("""
for module in reversed(self.layers):
    grad = module.backward(grad)
return grad
""", r"no attribute 'layers'\. It has modules"),
        ("""
for module in reversed(self.modules):
    grad *= module.backward(grad)
return grad
""", r"What stands on the left keeps its shape"),
        ("""
return self.modules[0].backward(self.modules[1].backward(self.modules[2].backward(grad)))
""", r"first part that is called is Sequential\[2\]"),
        ("""
for module in reversed(self.modules):
    grad = module.gradient(grad)
return grad
""", r"A module's methods are forward, backward"),
        ("""
for module in reversed(self.modules):
    grad = grad * module.backward(grad)
return grad
""", r"already multiplied by the gradient that it gets"),
        ("""
grads = []
for module in reversed(self.modules):
    grad = module.backward(grad)
    grads.append(grad)
return grads
""", r"(but|is) a list(?![\s\S]*np\.array)"),
        ("""
for i in reversed(len(self.modules)):
    grad = self.modules[i].backward(grad)
return grad
""", r"a list or a range, not a number"),
        ("""
for module in reversed(self.modules):
    module.zero_grad()
    grad = module.backward(grad)
return grad
""", r"optimizer\.zero_grad\(\)\.$"),
    ],
    "check_gradients": [
        ("""
model = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 10))
model.backward((x,))
""", r"gradient_utilities\.py, line \d+[\s\S]*model\.backward\(\(x,\)\)[\s\S]*before forward"),
        ("""
model = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 20))
""", r"never calls check_gradients of a Sequential"),
        ("""
model = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 20))
model.check_gradients(x)
""", r"tuple"),
        ("""
model = Sequential(Linear(10, 30), Sigmoid(), Linear(20, 30))
model.check_gradients((x,))
""", r"20|30"),
        ("""
model = Sequential([Linear(10, 30), Sigmoid(), Linear(30, 20)])
model.check_gradients((x,))
""", r"without a list|list"),
        ("""
try:
    model = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 20))
    model.check_gradients((x,))
except RuntimeError:
    print("wrong")
""", r"doesn't come out of it"),
        ("""
Sequential.check_gradients((x,))
""", r"Sequential\.check_gradients\(\(x,\)\)[\s\S]*(missing 1 required positional argument|input_args)"),
        ("""
pass
""", r"still empty"),
        ("""
model = sequential(Linear(10, 30), Sigmoid(), Linear(30, 20))
model.check_gradients((x,))
""", r"'sequential' is not defined"),
        ("""
model = Sequential(Linear(10, 5), Relu(), Linear(5, 2))
model.check_gradients((x,))
""", r"Is ReLU meant"),
        ("""
layer = Linear(10, 10)
Sequential(layer, ReLU(), layer).check_gradients((x,))
""", r"one module stands at two places"),
        ("""
check_gradients(Sequential(Linear(10, 5), ReLU(), Linear(5, 2)))
""", r"This is the function itself"),
        ("""
model = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 5))
model.check_gradients((x,), 1e-6)
""", r"model\.check_gradients\(\(x,\), 1e-6\)[\s\S]*takes 2 positional arguments"),
    ],
    "backward_pass": [
        ("""
model.backward()
for param in model.parameters():
    param.data -= lr * param.grad
""", r"model\.backward\(\)[\s\S]*missing 1 required positional argument: 'grad'"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param.data += lr * param.grad
""", r"uphill"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param.data -= param.grad
""", r"learning rate.*is missing"),
        ("""
model.backward(loss_fn.backward())
""", r"no parameter moves"),
        ("""
loss_fn.backward()
for param in model.parameters():
    param.data -= lr * param.grad
""", r"never calls model\.backward"),
        ("""
for param in model.parameters():
    param.data -= lr * param.grad
model.backward(loss_fn.backward())
""", r"update comes before|no parameter moves"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param = param - lr * param.grad
""", r"param = param - lr \* param\.grad[\s\S]*unsupported operand"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param -= lr * param.grad
""", r"param -= lr \* param\.grad[\s\S]*unsupported operand"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    data = param.data - lr * param.grad
""", r"no parameter moves"),
        ("""
model.backward(loss_fn.backward)
for param in model.parameters():
    param.data -= lr * param.grad
""", r"gets a method.*parentheses"),
        ("""
loss_fn.backward(model.backward())
for param in model.parameters():
    param.data -= lr * param.grad
""", r"missing 1 required positional argument: 'grad'"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param.data -= lr * param.grad
    return
""", r"parameters don't move"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param.data -= lr * param.grad
for param in model.parameters():
    param.grad = np.zeros_like(param.data)
""", r"reset at the end"),
        ("""
loss = loss_fn.backward()
loss.backward()
model.step()
""", r"loss\.backward\(\)[\s\S]*no attribute 'backward'"),
        ("""
grad = loss_fn.backward()
grad = model.backward(grad)
for param in model.parameters():
    param.data -= lr * grad
""", r"param\.data -= lr \* grad[\s\S]*(broadcast|shape)|param\.data isn't"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters:
    param.data -= lr * param.grad
""", r"for param in model\.parameters:[\s\S]*not iterable"),
        ("""
model.backward(loss_fn.backward())
model.W.data -= lr * model.W.grad
model.b.data -= lr * model.b.grad
""", r"no attribute 'W'"),
        ("""
pass
""", r"still empty"),
        ("""
grad = loss_fn.backward()
for module in model.modules:
    grad = module.backward(grad)
for param in model.parameters():
    param.data -= lr * param.grad
""", r"through the layers from the first on"),
        ("""
model.backward(loss_fn.backward())
lr = 0.1
for param in model.parameters():
    param.data -= lr * param.grad
""", r"by -0\.1 times the gradient"),
        ("""
model.backward(loss_fn.backward())
zero_grad(model.parameters())
for param in model.parameters():
    param.data -= lr * param.grad
""", r"from lib\.gradient_utilities import zero_grad"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param.grad = np.zeros_like(param.grad)
for param in model.parameters():
    param.data -= lr * param.grad
""", r"every gradient is zero by then"),
        ("""
grad = model.backward(loss_fn.backward())
for param in model.parameters():
    param.data -= lr * grad
""", r"What stands on the left keeps its shape"),
        ("""
model.backward(loss_fn.backward())
W, b = model.parameters()
W.data -= lr * W.grad
b.data -= lr * b.grad
""", r"more elements than names"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param.data -= lr * param.grad / 4
""", r"by -0\.075 times the gradient"),
        ("""
model.backward(loss_fn.backward())
for param in model.parameters():
    param.data =- lr * param.grad
""", r"is -= meant"),
        ("""
loss = loss_fn.backward()
loss.backward()
""", r"An array has no backward"),
        ("""
model.backward(loss_fn.loss)
""", r"no attribute 'loss'\.$"),
    ],
}
