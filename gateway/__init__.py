"""The edge: `api` speaks HTTP to the world and gRPC to the services; it has no rules of its own."""
