"""AWS Clean Rooms collaborations that run by themselves on Apache Airflow."""

__version__ = "0.1.0"
