"""A thousand discharges, lived on a running hub: who lives them, who plays their hub's days, and what is true of them."""
