"""The prediction gateway: answers with the version that the registry names, and logs every answer."""
