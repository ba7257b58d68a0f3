"""A student's lib/log_reg.py of sheet 2."""
from sklearn.linear_model import LogisticRegression


def logistic_regression(inputs, labels):
    classifier = LogisticRegression(C=1e5).fit(inputs, labels)
    return classifier.predict(inputs), classifier.score(inputs, labels)
