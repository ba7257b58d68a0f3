"""x"""
def diagnose(examination):
    from lib.gradient_checking.report import Cause
    return [Cause(p.cause, p.sentence, "") for p in examination.problems]
