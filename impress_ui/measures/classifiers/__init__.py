"""Classifiers of style: which of some named styles or artists a picture looks like."""
