"""AWS Glue DataBrew: recipes, datasets and recipe jobs that really run, as the service documents them."""

from sandbox.databrew.service import DataBrew

__all__ = ["DataBrew"]
