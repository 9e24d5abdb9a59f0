"""The kinds of questions, one module each. A kind parses and counts answers, and determines the correct answer."""
