"""What operators watch a hub with: objectives (SLOs), alerts and dashboards, as data; `make observability` writes what charts ship."""
