"""Tasks of the DAGs: thin edges that bring config, connections and the inner rooms together."""
