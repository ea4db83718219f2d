pytest_plugins = ["tests.tenants", "tests.runtime_role"]
