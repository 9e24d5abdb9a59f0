"""What tests share: servers, pages, networks, files and readers of what comes back."""
