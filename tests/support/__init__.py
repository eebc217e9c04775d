"""What several test packages share: parties with fixed keys, and builders of every record."""
