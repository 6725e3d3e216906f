"""What is stored: the tables of all domains, which refer to each other."""
