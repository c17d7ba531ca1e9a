"""Who is to be looked at: flags, reviews, worklist, timeline."""
