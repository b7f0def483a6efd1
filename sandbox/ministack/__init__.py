"""The one package that touches ministack's private names; ``tests/sandbox/test_ministack.py`` pins each.

ministack reads its settings when it is imported: set the environment before importing any of these modules
(:mod:`sandbox.settings`).
"""
