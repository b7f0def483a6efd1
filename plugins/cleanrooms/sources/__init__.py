"""From a source's export or database to one day's rows, ready for the lake.

Plain functions with boto3 clients passed in; Airflow is not known here.
"""
