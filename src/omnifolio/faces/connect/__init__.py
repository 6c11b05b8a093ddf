"""Connect as browsers and host pages see it: the page that opens, and what it asks for."""
