"""Identity: who belongs to the network, what they may do where, and whose patients which facility may see.

It owns organizations, facilities, staff, teams and grants, and it is the only issuer of caller tokens.
"""
