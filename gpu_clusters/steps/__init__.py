"""The method's steps as pure functions: tables and settings in, tables out. None reads files or prints."""
