"""The nouns: state only, no decisions."""
