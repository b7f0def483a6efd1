"""The engine: runs a query that was accepted, in a process of its own, on DuckDB."""
