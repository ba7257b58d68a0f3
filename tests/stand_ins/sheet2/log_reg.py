"""A student's lib/log_reg.py of sheet 2, with scikit-learn's own settings."""
from sklearn.linear_model import LogisticRegression


def logistic_regression(inputs, labels):
    classifier = LogisticRegression()
    classifier.fit(inputs, labels)
    return classifier.predict(inputs), classifier.score(inputs, labels)
