"""The commands of `gruscope`. Each module has the arguments of a command, and runs it."""
