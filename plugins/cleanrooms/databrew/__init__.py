"""A day of a source prepared by AWS Glue DataBrew: what it takes, how it is run, what is made of its output.

The worker reads and checks the day's files as ever and stages the good rows as typed Parquet, because the
service would guess the types of a CSV (and a phone number would lose its leading zero) and knows no contract
of columns. The recipe runs in the service; its output is checked and published as every other day is.
"""
