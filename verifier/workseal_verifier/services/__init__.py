"""What the verifier does, knowing neither HTTP nor SQL."""
