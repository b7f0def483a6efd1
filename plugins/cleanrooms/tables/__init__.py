"""Tables in the lake: deterministic Parquet, atomic partitions, and what the Glue catalog says of them.

Knows boto3's clients (passed in) but not Airflow.
"""
