"""What identity asks of others: the identity provider, and the services that hold data of patients."""
