"""The nouns and rules of careplans."""
