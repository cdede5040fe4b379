"""What operators watch a hub with: promises, alerts and dashboards, as data; `make observability` writes what charts ship."""
