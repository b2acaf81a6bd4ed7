"""Checks Compose files with compose_spec."""
from compose_spec import PyCompose

import wire


class Client:
    def validate(self, text):
        """Parses a Compose file by the Compose Specification. Raises an exception if it breaks it."""
        compose = PyCompose.from_yaml(text)
        compose.validate()
        return compose.to_dict()


wire.serve(Client())
