"""Airflow parts for AWS Clean Rooms, laid out as the amazon provider lays out a service."""
