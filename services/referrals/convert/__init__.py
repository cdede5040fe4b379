"""Between the domain and protobuf."""
