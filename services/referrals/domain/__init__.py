"""The directory, what fits whom, and referrals: rules without I/O."""
