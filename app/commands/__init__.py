"""The commands of `gruscope`. Each command has a module that defines its arguments and runs it."""
