"""What runs the project on one machine: the local stack, the demo, the checks."""
