"""A process: the services in it, what every service does alike, and how one sees that it does."""
