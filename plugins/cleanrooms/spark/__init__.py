"""Recipes on Apache Spark: AWS Glue, or any PySpark. Knows neither Airflow nor DAGs.

Spark is the runner, not a second implementation: what looks at rows is the worker's own code, run on Arrow batches
in Spark's Python workers, so both engines agree by construction. Only what needs the whole table is Spark's work
(``whole``), each action saying how beside its worker's version. Keys are fetched by the process that hashes and
are in no plan, closure, argument or log.
"""
