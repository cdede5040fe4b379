"""HTTP in, gRPC out: the contracts in protos/ are the API, and the gateway transcodes it."""
