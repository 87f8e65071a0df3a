"""Systems of others that need no pairs, one file each (paper, Table 8)."""
