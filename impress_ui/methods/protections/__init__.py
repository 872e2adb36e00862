"""The protections' objectives, a small file a family; ``registry`` names them, ``methods/protect.py`` runs them."""
