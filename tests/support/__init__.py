"""Code that several test modules share: servers, pages, networks, files, and parsers of responses."""
