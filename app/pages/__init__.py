"""What each page is given: the values its template fills in, and the data its script starts from."""
