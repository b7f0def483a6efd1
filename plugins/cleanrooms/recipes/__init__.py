"""DataBrew recipes on Arrow batches. Knows neither Airflow nor boto3.

``Recipe.load(path).compile(schema, secrets).apply(batch)``; actions are in ``actions/``, one module per
category of DataBrew's guide.
"""

from cleanrooms.errors import RecipeError
from cleanrooms.recipes.model import Condition, Recipe, Step

__all__ = ["Condition", "Recipe", "RecipeError", "Step"]
