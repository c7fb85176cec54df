"""What our families are measured against: plain versions of what others use, without anything of ours but the data."""
