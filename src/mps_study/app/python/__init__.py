"""Models as Python has them: files, names, modules, functions, sessions; explained, searched, compared, attributed."""
