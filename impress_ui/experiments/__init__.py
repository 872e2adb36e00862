"""The paper's experiments and our own: users of the package, which nothing in it imports; ``table.py`` lists them."""
