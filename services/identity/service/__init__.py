"""What identity answers, a file for each contract of protos/carehub/identity/v1."""
