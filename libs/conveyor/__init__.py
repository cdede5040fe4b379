"""What an event goes through: told with a change, published, handled once, set aside; and what is done at a time."""
