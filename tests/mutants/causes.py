"""What can be wrong with a backward pass: a key for each cause, and the cause in a few words.

Every mutant names its true cause by one of these keys. They were written down before the checker's own names were
known; `tests/mutants/measure.py` says which of the checker's causes mean the same.
"""
from __future__ import annotations

CAUSES = {
    # a constant factor
    "missing_1_n": "the mean over the batch was forgotten: 1/N is missing",
    "missing_1_nk": "the mean over all entries was forgotten: 1/(N K) is missing",
    "factor": "wrong by a constant factor, such as 2 or 1/2",
    "sign": "the sign is wrong",
    # the batch
    "no_batch_sum": "the sum over the batch was forgotten",
    "mean_for_sum": "the mean over the batch is taken where the sum belongs",
    "one_sample": "only one example of the batch counts, or one is left out",
    "wrong_axis": "the sum is taken over the wrong axis",
    # the upstream gradient
    "upstream_ignored": "the upstream gradient is ignored",
    "upstream_squared": "the upstream gradient is squared",
    "upstream_absolute": "the absolute value of the upstream gradient is taken",
    "upstream_not_linear": "backward isn't linear in the upstream gradient: it is clipped, rounded, or something added",
    "passed_on": "the upstream gradient is handed on unchanged: this module's own derivative was forgotten",
    # shapes and structure
    "transposed": "a matrix is transposed, or was not",
    "wrong_shape": "a gradient has another shape than what it is the gradient of",
    "exception": "backward raises an exception, such as a matrix product of shapes that don't fit",
    "returned_none": "backward returns None",
    "unfinished": "the gap isn't filled yet",
    "zeros": "a gradient is zero, or a parameter receives none",
    "single_entries": "some entries are wrong, at the edge or in one row, as by an index that is off by one",
    # what a derivative looks at
    "negative_side": "wrong exactly where x < 0: the mask is missing there",
    "mask_on_gradient": "the mask looks at the gradient instead of the input",
    "mask_inverted": "the mask is inverted",
    "output_for_input": "the output is taken for the input, or the input for the output (sigmoid of sigmoid)",
    "softmax_diagonal": "only the diagonal of softmax's Jacobian",
    "statistics_constant": "mean and variance of the batch are taken as constants",
    "wrong_formula": "the formula of the derivative is another one",
    "term_missing": "a term of the derivative was forgotten, such as half of a product rule",
    # networks
    "forward_order": "the layers are visited in forward order",
    "same_gradient": "every layer gets the same gradient",
    "layer_skipped": "a layer is skipped",
    "skip_path_forgotten": "the skip path was forgotten",
    "main_path_forgotten": "the main path was forgotten",
    # state
    "overwritten": "gradients are overwritten, not accumulated",
    "changes_upstream": "backward changes the upstream gradient that it was given",
    "changes_input": "the input is changed",
    "changes_parameter": "the value of a parameter is changed",
    "stale_cache": "backward uses what an earlier call of forward cached",
    "changes_itself": "forward or backward changes something that the next round needs",
    "not_listed": "parameters() forgets a parameter",
    "random": "forward or backward draws random numbers of its own",
    # numbers
    "not_finite": "NaN or infinity, as at a kink by z / |z| or by an overflow",
    "low_precision": "rounded to a lower precision",
}
