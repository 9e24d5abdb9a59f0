"""Pages: for each page the context of its template, and the data that its script starts from."""
