"""Registry in PostgreSQL: the only SQL of the service.

`schema` has the tables; `patient`, `encounter` and `observation` answer people; `batch` loads and saves what a batch of reports touches.
"""
