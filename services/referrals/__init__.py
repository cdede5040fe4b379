"""Who could help with what is no medicine, whether they take somebody now, and who was asked to help whom."""
