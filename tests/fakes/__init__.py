"""Made-up records, folders, screens and processes that the tests share."""
