pytest_plugins = ["tests.tenants"]
