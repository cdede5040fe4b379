"""What the services stand on, and what helps to run and test them on one machine."""
