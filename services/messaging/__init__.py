"""messaging owns what patients are told and what they answer, and what the care team says among itself about them."""
