"""Who may see what, said a second time: slowly, one question at a time, by code that knows nothing of the product's."""
