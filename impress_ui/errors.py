"""Errors whose text is meant for the person who made the mistake."""


class UserError(ValueError):
    """One clear sentence: what is wrong with the input, and what would do. Doors show it without a traceback."""
