"""A roll -> a picture."""
