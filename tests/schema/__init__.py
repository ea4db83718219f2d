"""What the database itself promises, asked of it in SQL, past the models and the services."""
