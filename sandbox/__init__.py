"""The local AWS: one process and one endpoint on the loopback, for development, examples and tests.

Never deployed. ``python -m sandbox serve --port N --data DIR`` starts it; ``sandbox.testing.running``
starts one for a test.
"""
