"""Files, mail, network, processes and the database; errors of libraries become `FeedsError` here."""
