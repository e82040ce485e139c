"""What programs that launch several processes import: the file that names hosts, and the launchers."""
