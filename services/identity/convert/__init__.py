"""Between the domain and what travels: protobuf in directory.py, signed tokens in token.py."""
