"""The kinds of questions, a module each: how answers are parsed and counted, and which answer is correct."""
