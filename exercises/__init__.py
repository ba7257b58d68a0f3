"""The course's exercise sheets, one folder a sheet, named by its topic."""
