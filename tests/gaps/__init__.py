"""Whole gaps of the main sheet as students fill them: right in many styles, and wrong, with what has to be said."""
