"""The pages: the template context of each page, and the data that its script starts from."""
