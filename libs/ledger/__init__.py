"""The audit ledger of a service, beyond the row that each request leaves: sealed, vouched for, verified, read."""
