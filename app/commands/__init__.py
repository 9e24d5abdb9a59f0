"""What the `gruscope` command can do, a file for each: its arguments, and what it does with them."""
