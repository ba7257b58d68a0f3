"""The causes that the diagnosis can name, each with a question, a sentence, and how it would be right."""
from __future__ import annotations

from typing import Dict, NamedTuple

from lib.gradient_checking.report import Cause


class Words(NamedTuple):
    """What is said about a cause, at the three levels of hints."""

    question: str
    sentence: str
    formula: str


CHAIN = "dL/dx_i = sum_k dL/dy_k dy_k/dx_i: upstream gradient times the module's own derivative."

CAUSES: Dict[str, Words] = {
    # a constant factor
    "missing 1/N": Words(
        "The loss is a mean. Which factor does that bring?",
        "the factor 1/N of the mean over the batch is missing",
        "L = 1/N sum_n L_n, so dL/dpreds_n = 1/N dL_n/dpreds_n."),
    "missing 1/(N K)": Words(
        "The loss is a mean. Over how many numbers?",
        "the factor 1/(N K) of the mean over all entries is missing",
        "L = 1/(N K) sum_nk L_nk, so dL/dpreds_nk = 1/(N K) dL_nk/dpreds_nk."),
    "constant factor": Words(
        "By what factor do your numbers differ from the expected ones?",
        "the gradient is wrong by a constant factor",
        "Derive the formula again, factor by factor: (x^2 / 2)' = x, (x^2)' = 2 x."),
    "wrong sign": Words(
        "In which direction does the loss grow?",
        "the sign is wrong",
        "The gradient points where the loss grows; the optimiser subtracts it, not backward."),
    # the batch
    "missing sum over the batch": Words(
        "Each example contributes to the gradient of a parameter. What becomes of the contributions?",
        "the sum over the batch is missing",
        "dL/db_j = sum_n dL/dz_nj: grad.sum(axis=0), in the shape of b."),
    "mean for sum": Words(
        "Who takes the mean over the batch: this module, or the loss?",
        "the mean over the batch is taken where the sum belongs",
        "The loss has brought the factor 1/N already, so the contributions of the examples are summed."),
    "only one sample": Words(
        "Which examples of the batch does your gradient depend on?",
        "not every example of the batch counts, or one stands for all",
        "Every example contributes: sum over n = 0 ... N - 1, without a loop by x.T @ grad."),
    "wrong axis": Words(
        "Over which index does the sum run in the formula, and which axis is that?",
        "the sum is taken over the wrong axis",
        "Rows are examples (axis 0), columns are features or classes (axis 1)."),
    # the upstream gradient
    "upstream gradient ignored": Words(
        "Which role does backward's argument play in the chain rule?",
        "the upstream gradient is ignored: the module's own derivative is returned instead of multiplied", CHAIN),
    "upstream gradient squared": Words(
        "How often does the upstream gradient stand in the chain rule?",
        "the upstream gradient is squared: it is multiplied once too often", CHAIN),
    "absolute value of the upstream gradient": Words(
        "Can a gradient be negative?", "the absolute value of the upstream gradient is taken", CHAIN),
    "not linear in the upstream gradient": Words(
        "What must happen to the result if the upstream gradient is doubled?",
        "backward isn't linear in the upstream gradient: it is clipped or rounded, or something is added to it", CHAIN),
    "upstream gradient passed on unchanged": Words(
        "What is the derivative of this module's output by its input?",
        "the upstream gradient is passed on unchanged: the module's own derivative is missing", CHAIN),
    # shapes and structure
    "transposed": Words(
        "Which index of the result belongs to the rows, and which to the columns?",
        "a matrix is transposed, or isn't where it should be",
        "For z = x @ W: dL/dW = x.T @ grad, and dL/dx = grad @ W.T."),
    "wrong shape": Words(
        "Which shape has the array that this is the gradient of?",
        "the gradient has been broadcast to, or summed up to, a wrong shape",
        "dL/dA has the shape of A, one derivative for each entry."),
    "not an array": Words(
        "What belongs after return: which single array is asked for?",
        "what stands there isn't an array of numbers",
        "backward returns one array, dL/d(first input); it adds the others to the parameters' gradients."),
    "exception in backward": Words(
        "What does each name in this line hold, and of which shape?", "backward raises an exception",
        "Give each name a value before its line; in a product A @ B, the columns of A are as many as the rows of B."),
    "None returned": Words(
        "What does a function return that has no return?",
        "backward returns None: the return is missing, or what is returned never gets a value",
        "End backward with: return grad_input."),
    "to do": Words("What does the chain rule say here?", "backward isn't written yet", CHAIN),
    "zeros": Words(
        "Where in your code does this gradient get its values?",
        "the gradient stays zero: nothing is ever put into it",
        "backward adds to each parameter.grad, and returns dL/dx."),
    "single entries wrong": Words(
        "What distinguishes the wrong entries from the right ones?",
        "only some entries are wrong, or stand in wrong places: look at indices, ends of loops, overlapping windows",
        "An entry that is used several times sums what comes back from all of its uses: +=, not =."),
    # what a derivative looks at
    "mask missing where x < 0": Words(
        "What is the derivative where the input is negative?",
        "wrong exactly where x < 0: the mask of the negative inputs is missing or is another one",
        "ReLU: dL/dx = grad * (x > 0)."),
    "mask on the gradient": Words(
        "Whose sign decides: that of the input, or that of the gradient?",
        "the mask looks at the gradient instead of the input",
        "ReLU: dL/dx = grad * (x > 0), with x the cached input."),
    "mask inverted": Words(
        "Which entries does the mask let through?", "the mask is inverted",
        "ReLU: dL/dx = grad * (x > 0): what was positive lets the gradient through."),
    "output taken for input": Words(
        "Is what you cached the input or the output, and which does your formula want?",
        "the derivative is computed from the output instead of the input, or the other way round (as in sigmoid of "
        "sigmoid)", "Sigmoid: with y = sigmoid(x), dy/dx = y (1 - y). Tanh: with y = tanh(x), dy/dx = 1 - y^2."),
    "softmax diagonal only": Words(
        "How many outputs change when one input changes?",
        "only the diagonal of the Jacobian is there: each output is taken to depend on its own input alone",
        "Softmax: dL/dx_j = y_j (grad_j - sum_i grad_i y_i)."),
    "statistics taken as constants": Words(
        "Does the mean change when one input changes?",
        "mean and variance are taken as constants, though they depend on the input",
        "dL/dx = (g - mean(g) - xhat mean(g xhat)) / sqrt(var + eps), with g = gamma grad."),
    "another formula": Words(
        "Derive the formula of this derivative on paper. Is it what your code says?",
        "the formula of the derivative is another one", CHAIN),
    "another threshold": Words(
        "At which input does this derivative change?", "the derivative changes at another number than 0", CHAIN),
    "division of one term": Words(
        "Which terms does your division divide? Where do brackets belong?",
        "the division reaches only one of two terms", "(a + b) / n is a / n + b / n; a + b / n is another number."),
    "absolute value": Words(
        "Can this gradient be negative?", "the absolute value of the gradient is taken", CHAIN),
    "squared": Words("Which factors has this derivative?", "a factor of the derivative is squared", CHAIN),
    "term missing": Words(
        "How many terms has this derivative?", "a term of the derivative is missing",
        "Product rule: (u v)' = u' v + u v'. What depends on x in several ways sums what comes back from all."),
    # networks
    "layers in forward order": Words(
        "At which end of the network does backpropagation start?", "the layers are visited in forward order",
        "for module in reversed(modules): grad = module.backward(grad)"),
    "same gradient for every layer": Words(
        "What is the upstream gradient of the last layer but one?", "the same gradient is handed to every layer",
        "for module in reversed(modules): grad = module.backward(grad)"),
    "layer skipped": Words(
        "Is the backward of every layer called?", "a layer is skipped: its backward isn't called",
        "for module in reversed(modules): grad = module.backward(grad)"),
    "skip path forgotten": Words(
        "On how many paths does the input reach the output?", "the path past the module, the skip path, is forgotten",
        "y = m(x) + x, so dL/dx = m.backward(grad) + grad."),
    "main path forgotten": Words(
        "On how many paths does the input reach the output?", "the path through the module is forgotten",
        "y = m(x) + x, so dL/dx = m.backward(grad) + grad."),
    "parameter not listed": Words(
        "Which parameters does parameters() return?", "a parameter is missing in parameters()",
        "parameters() lists every parameter, also those of the modules inside."),
    "parameter not used": Words(
        "Which array does forward use, and which one does the optimiser change?",
        "forward doesn't use this parameter, but another array", "forward uses self.W.data, or a view of it."),
    # state
    "overwritten instead of accumulated": Words(
        "What was in the gradient before?", "the gradient is overwritten instead of accumulated",
        "parameter.grad += ..., with +=; zero_grad sets it to zero."),
    "upstream gradient changed in place": Words(
        "Whose array is it that you write into?",
        "in-place damage: backward changes the upstream gradient that it was given",
        "Make a new array: grad * mask instead of grad *= mask; or start with grad = grad.copy()."),
    "input changed in place": Words(
        "Whose array is it that you write into?", "in-place damage: the input is changed",
        "Make a new array, or start with x = x.copy()."),
    "parameter changed in place": Words(
        "Who changes the parameters?", "in-place damage: the value of a parameter is changed",
        "backward computes gradients only; the optimiser changes the parameters."),
    "cache changed in place": Words(
        "Is what you cached still the same after backward?", "in-place damage: backward changes what forward cached",
        "Make a new array instead of changing the cached one."),
    "stale cache": Words(
        "To which forward pass does the cached value belong?",
        "backward uses what an earlier forward pass cached",
        "Each forward pass overwrites the cache: self.input_cache = x."),
    "changes itself": Words(
        "What is different about the module after a forward and a backward pass?",
        "forward and backward work once, but change something that the next pass needs",
        "Of itself, a pass changes the cache and the gradients only: for module in reversed(self.modules) leaves the "
        "list as it is, self.modules.reverse() doesn't."),
    "random numbers in backward": Words(
        "Which random numbers does backward need: those of forward, or new ones?",
        "backward draws random numbers of its own", "forward caches its mask; backward multiplies by that same mask."),
    "not deterministic": Words(
        "Why does forward give another result for the same input?", "forward gives different values for the same input",
        "Draw random numbers from np.random or from a generator that the module keeps."),
    "memory order": Words(
        "Where in memory do the numbers of an array stand, and where those of its transpose?",
        "backward goes by where numbers lie in memory, not by their indices",
        "as_strided and ravel(order='K') go by memory; zeros_like(x).ravel() may be a copy, so writing to it is lost."),
    # numbers
    "NaN or infinity": Words(
        "For which inputs does your formula divide by zero, or overflow?",
        "the gradient is NaN or infinite: a division by zero, such as z / |z| at 0, or an overflow, such as exp(1000)",
        "Use a comparison (x > 0) or np.sign instead of a quotient, and exponentials of negative numbers only."),
    "low precision": Words(
        "Of what type are your arrays?", "the gradient is rounded to a lower precision, or to integers",
        "Let results take the type of the floating-point numbers they are computed from."),
    "counted several times at a tie": Words(
        "What if two inputs are equally large?", "where inputs tie for the maximum, each gets the whole gradient",
        "Give it to the first of them (argmax), or divide it among them."),
    "unknown": Words(
        "Compare your formula with the derivative on paper, term by term.",
        "the numbers fit none of the typical mistakes", CHAIN),
}


def cause(name: str, evidence: str, detail: str = "") -> Cause:
    """Return a cause with its words; detail is added to the sentence."""
    words = CAUSES[name]
    sentence = words.sentence + (f": {detail}" if detail else "")
    return Cause(name, sentence[0].upper() + sentence[1:] + ".", evidence, words.question, words.formula)
