"""The protections' objectives, a small file a family; ``registry`` names them, ``core/protect.py`` runs them."""
