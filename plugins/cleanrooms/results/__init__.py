"""From a finished protected query to BI: collect, guard, publish, report.

Each module is one step and is imported by its own name (``cleanrooms.results.collect``), inside tasks:
they load pyarrow and matplotlib, which no DAG file may import.
"""
