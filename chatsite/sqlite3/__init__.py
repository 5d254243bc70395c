"""Django's SQLite, with connections that are kept for whoever connects next (base.py)."""
